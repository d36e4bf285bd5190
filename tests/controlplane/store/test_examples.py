from datetime import timedelta

import pytest

from controlplane.store.examples import KEPT, NOISE_PAUSE, Divergence, Mismatch, Noise, Receipt
from tests.builders import NOW

SECOND = timedelta(seconds=1)
PATHS = [{"path": "$.a", "baseline": {"type": "str", "value": "nul\0 and\nline"}, "candidate": {"type": "missing"}}]


@pytest.fixture
def uow(store):
    with store.writing() as opened:
        yield opened


def a_mismatch(number=0, flag="f", operation="o"):
    return Mismatch(flag, operation, NOW + number * SECOND, "i-1", None, PATHS)


def a_receipt(number=0, operation="o"):
    return Receipt("f", operation, NOW + number * SECOND, "i-1", "hash", "candidate", None)


def test_examples_are_read_as_they_were_written_newest_first(uow):
    uow.examples.add_mismatches(1, [a_mismatch(1), a_mismatch(2)])
    uow.examples.add_receipts(1, [a_receipt(1), a_receipt(2)])

    assert uow.examples.newest_mismatches(1, "f", None, 9) == [a_mismatch(2), a_mismatch(1)]
    assert uow.examples.newest_receipts(1, "f", None, 1) == [a_receipt(2)]


def test_of_each_operation_the_newest_hundred_are_kept(uow):
    uow.examples.add_mismatches(1, [a_mismatch(operation="quiet")])
    for first in range(0, 3 * KEPT, 50):
        uow.examples.add_mismatches(1, [a_mismatch(first + number) for number in range(50)])

    loud = uow.examples.newest_mismatches(1, "f", "o", 1_000)
    assert loud == [a_mismatch(number) for number in range(3 * KEPT - 1, 2 * KEPT - 1, -1)]
    assert uow.examples.newest_mismatches(1, "f", "quiet", 1_000) == [a_mismatch(operation="quiet")]


def test_examples_of_other_flags_and_environments_are_not_seen(uow):
    other = uow.environments.add("staging", "s", NOW)
    uow.examples.add_mismatches(1, [a_mismatch(flag="other")])
    uow.examples.add_mismatches(other.id, [a_mismatch()])

    assert uow.examples.newest_mismatches(1, "f", None, 9) == []


def test_old_examples_are_forgotten(uow):
    uow.examples.add_mismatches(1, [a_mismatch(0), a_mismatch(5)])
    uow.examples.add_receipts(1, [a_receipt(0), a_receipt(5)])
    uow.examples.forget_before(NOW + SECOND)

    assert uow.examples.newest_mismatches(1, "f", None, 9) == [a_mismatch(5)]
    assert uow.examples.newest_receipts(1, "f", None, 9) == [a_receipt(5)]


def test_divergences_add_up(uow):
    uow.examples.add_divergences(1, {("f", "o"): {"writes": 2}, ("f", "p"): {"writes": 1}}, NOW)
    uow.examples.add_divergences(1, {("f", "o"): {"writes": 3}}, NOW + SECOND)

    assert uow.examples.divergences(1, "f") == [Divergence("o", 5, NOW + SECOND), Divergence("p", 1, NOW)]


def test_what_a_side_misses_is_what_it_was_told_to_miss_less_what_was_reconciled(uow):
    uow.examples.add_divergences(1, {("f", "o"): {"writes": 5, "baseline_missing": 1, "candidate_missing": 3}}, NOW)
    uow.examples.add_divergences(1, {("f", "o"): {"baseline_reconciled": 2, "candidate_reconciled": 1}}, NOW + SECOND)

    (seen,) = uow.examples.divergences(1, "f")

    assert seen == Divergence("o", 5, NOW + SECOND, 1, 3, 2, 1)
    assert (seen.unsided, seen.baseline_backlog, seen.candidate_backlog) == (1, 0, 3)


def test_noise_adds_up_until_a_new_measurement_takes_its_place(uow):
    uow.examples.add_noise(1, ("f", "o"), (90, 5), NOW)
    uow.examples.add_noise(1, ("f", "o"), (90, 15), NOW + SECOND)
    (seen,) = uow.examples.noise(1, "f")
    assert (seen, seen.floor) == (Noise("o", 180, 20, NOW + SECOND), 0.1)

    uow.examples.add_noise(1, ("f", "o"), (0, 0), NOW + 2 * SECOND + NOISE_PAUSE)
    (seen,) = uow.examples.noise(1, "f")
    assert (seen.match, seen.mismatch, seen.floor) == (0, 0, None)
