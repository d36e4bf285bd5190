import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.arm import Arm
from controlplane.domain.errors import LeaseLost, NotFound
from controlplane.store import UnitOfWork
from controlplane.store.counters import Counters
from controlplane.store.journal import Journal
from controlplane.store.reports import Buckets
from controlplane.usecases import flags, telemetry
from controlplane.usecases.leading import lead
from controlplane.usecases.snapshots import current_versions
from controlplane.usecases.telemetry import arm_of, fold, forget_old, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

SECOND = timedelta(seconds=1)
STEPS = [(Buckets, "add"), (Counters, "add"), (Journal, "drop"), (UnitOfWork, "commit")]
CRASHES = [(owner, name, when) for owner, name in STEPS for when in ("before", "after")][:-1]  # after it, all is there


class Crash(Exception):
    """The process died here."""


@pytest.fixture(autouse=True)
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def journalled(store):
    with store.reading() as uow:
        return [report for row in uow.journal.oldest(10_000) for report in json.loads(row.body)]


def counted(store, cause):
    with store.reading() as uow:
        return uow.counters.get(f"telemetry:1:{cause}")


def buckets(store):
    with store.reading() as uow:
        return uow.buckets.between(1, "dspex-bridge", 0, 2**40)


def calls(store):
    return sum(arm.calls for _, arm in buckets(store))


def test_a_report_is_answered_with_the_newest_version_of_its_environment(store):
    newest = current_versions(store)[0]

    assert record_reports(store, [a_report()], NOW) == {"production": (newest.source, newest.version)}


def test_a_report_is_durable_and_its_instance_known_once_it_is_answered(store):
    record_reports(store, [a_report(a_cell(), version=7, source="s")], NOW)

    assert [report["sequence"] for report in journalled(store)] == [1]
    with store.reading() as uow:
        (known,) = uow.instances.all(1)
    assert (known.instance, known.sequence, known.source, known.version) == ("i-1", 1, "s", 7)
    assert known.first_seen_at == known.last_seen_at == NOW


def test_sent_twice_it_is_answered_twice_and_recorded_once(store):
    first = record_reports(store, [a_report(a_cell())], NOW)
    again = record_reports(store, [a_report(a_cell())], NOW + SECOND)

    assert first == again
    assert len(journalled(store)) == 1


def test_sent_twice_within_one_batch_it_is_recorded_once(store):
    record_reports(store, [a_report(a_cell()), a_report(a_cell())], NOW)

    assert len(journalled(store)) == 1


def test_reports_of_one_batch_may_come_in_any_order(store):
    record_reports(store, [a_report(sequence=number) for number in (3, 1, 2)], NOW)

    assert [report["sequence"] for report in journalled(store)] == [1, 2, 3]
    with store.reading() as uow:
        assert uow.instances.all(1)[0].sequence == 3


def test_each_instance_counts_its_own_reports(store):
    record_reports(store, [a_report(), a_report(instance="i-2")], NOW)
    record_reports(store, [a_report(instance="i-2"), a_report(instance="i-2", sequence=2)], NOW + SECOND)

    assert len(journalled(store)) == 3


def test_a_batch_for_an_environment_that_is_not_there_is_refused_whole(store):
    with pytest.raises(NotFound):
        record_reports(store, [a_report(), a_report(environment="nowhere")], NOW)

    assert journalled(store) == []


def test_a_cell_becomes_counts():
    cell = a_cell(
        calls=20, errors={"timeout": 2, "cancelled": 3}, pending=1, key_rise={"from": {"5": 1}, "to": {"9": 1}}
    )

    arm = arm_of(cell)

    assert (arm.calls, arm.bad, arm.cancelled, arm.pending, arm.judged) == (20, 3, 3, 1, 17)
    assert (arm.rise_from, arm.rise_to) == ({5: 1}, {9: 1})
    assert arm_of({**cell, "key_rise": None}).rise_to == {}


def test_folding_moves_reports_from_the_journal_into_buckets(store, lease):
    record_reports(store, [a_report(a_cell(), a_cell(side="baseline"), a_cell(start=int(NOW.timestamp()) + 10))], NOW)

    assert fold(store, lease) == 1
    assert fold(store, lease) == 0
    assert journalled(store) == []
    assert len(buckets(store)) == 3


def test_flags_nobody_knows_are_counted_and_left_out(store, lease):
    record_reports(store, [a_report(a_cell(), a_cell(flag="stranger"), a_cell(flag="other"))], NOW)
    fold(store, lease)

    assert counted(store, "unknown_flag") == 2
    assert len(buckets(store)) == 1


@pytest.mark.parametrize(("seconds", "kept"), [(-601, 0), (-600, 1), (0, 1), (120, 1), (121, 0)])
def test_cells_from_another_time_are_counted_and_left_out(store, lease, seconds, kept):
    record_reports(store, [a_report(a_cell(start=int(NOW.timestamp()) + seconds))], NOW)
    fold(store, lease)

    assert (len(buckets(store)), counted(store, "out_of_time")) == (kept, 1 - kept)


def test_a_scheduler_that_slept_an_hour_loses_nothing_that_was_accepted(store):
    record_reports(store, [a_report(a_cell())], NOW)
    later = lead(store, "late", NOW + timedelta(hours=1), timedelta(hours=1))

    fold(store, later)

    assert (calls(store), counted(store, "out_of_time")) == (100, 0)


def test_a_scheduler_without_the_lease_folds_nothing(store, lease):
    record_reports(store, [a_report(a_cell())], NOW)
    assert lead(store, "other", NOW + timedelta(days=4000), timedelta(days=1))

    with pytest.raises(LeaseLost):
        fold(store, lease)

    assert len(journalled(store)) == 1
    assert buckets(store) == []


@pytest.mark.parametrize(("owner", "name", "when"), CRASHES, ids=[f"{when} {name}" for _, name, when in CRASHES])
def test_a_crash_while_folding_counts_everything_once(store, lease, monkeypatch, owner, name, when):
    record_reports(store, [a_report(a_cell(), a_cell(flag="stranger"))], NOW)
    original = getattr(owner, name)

    def dies(self, *args, **kwargs):
        if when == "after":
            original(self, *args, **kwargs)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(Crash):
            fold(store, lease)
    fold(store, lease)

    assert (calls(store), counted(store, "unknown_flag"), journalled(store)) == (100, 1, [])


CELLS = st.lists(
    st.builds(
        lambda start, side, keys, bad, milliseconds: a_cell(
            start=int(NOW.timestamp()) + 10 * start,
            side=side,
            calls=keys,
            errors={"timeout": min(bad, keys)},
            milliseconds=milliseconds,
        ),
        st.integers(0, 3),
        st.sampled_from(["baseline", "candidate"]),
        st.integers(1, 1000),
        st.integers(0, 1000),
        st.sampled_from([3.0, 20.0, 900.0]),
    ),
    min_size=1,
    max_size=12,
)


@given(cells=CELLS, data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_folded_in_several_batches_it_is_the_same_as_folded_at_once(store, lease, cells, data):
    at_once = _folded(store, lease, [cells])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(cells)), max_size=4)) | {0, len(cells)})
    parts = [cells[first:until] for first, until in pairwise(cuts)]

    assert at_once
    assert _folded(store, lease, data.draw(st.permutations(parts))) == at_once


def _folded(store, lease, parts):
    """The buckets after folding part by part, each as a report of its own; then all is cleared again."""
    with store.reading() as uow:
        known = {each.instance: each.sequence for each in uow.instances.all(1)}
    for number, cells in enumerate(parts, start=known.get("i-1", 0) + 1):
        record_reports(store, [a_report(*cells, sequence=number)], NOW)
        fold(store, lease)
    found = dict(buckets(store))
    with store.writing() as uow:
        uow.buckets.take(1, "dspex-bridge", "echo", 0, 2**40)
        uow.commit()
    return {place: _plain(arm) for place, arm in found.items()}


def _plain(arm: Arm) -> Arm:
    return replace(arm, errors={category: count for category, count in arm.errors.items() if count})


def test_a_journal_longer_than_one_transaction_is_folded_to_its_end(store, lease, monkeypatch):
    monkeypatch.setattr(telemetry, "ROWS_AT_ONCE", 3)
    for number in range(1, 9):
        record_reports(store, [a_report(a_cell(), sequence=number)], NOW)

    assert fold(store, lease) == 8
    assert calls(store) == 800


def test_instances_that_fell_silent_are_forgotten(store, lease):
    record_reports(store, [a_report(a_cell())], NOW)
    fold(store, lease)
    forget_old(store, NOW + timedelta(days=6))
    with store.reading() as uow:
        assert [each.instance for each in uow.instances.all(1)] == ["i-1"]

    forget_old(store, NOW + timedelta(days=8))

    with store.reading() as uow:
        assert uow.instances.all(1) == []
