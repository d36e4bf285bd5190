from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.arm import total
from controlplane.domain.flag import Side
from controlplane.store.instances import Instance
from controlplane.store.reports import Place
from tests.builders import NOW, an_arm

PLACE = Place("dspex-bridge", 100, "echo", 1, Side.CANDIDATE, "snakepit", "share", 1000)
INSTANCE = Instance("i-1", "api", "sdk/1", 1, "s", 1, NOW, NOW)


@pytest.fixture
def uow(store):
    with store.writing() as opened:
        yield opened


def between(uow, first=0, until=10**6):
    return dict(uow.buckets.between(1, "dspex-bridge", first, until))


def test_the_journal_is_read_in_order_and_dropped_by_row(uow):
    for number in range(5):
        uow.journal.append(1, NOW, b"[%d]" % number)

    rows = uow.journal.oldest(3)
    assert [row.body for row in rows] == [b"[0]", b"[1]", b"[2]"]
    assert rows[0].received_at == NOW

    uow.journal.drop([rows[0], rows[2]])
    assert [row.body for row in uow.journal.oldest(9)] == [b"[1]", b"[3]", b"[4]"]
    assert uow.journal.size() == 3


def test_a_row_of_the_journal_never_gets_a_number_again(store):
    with store.writing() as uow:
        uow.journal.append(1, NOW, b"[]")
        (first,) = uow.journal.oldest(9)
        uow.journal.drop([first])
        uow.journal.append(1, NOW, b"[]")
        assert uow.journal.oldest(1)[0].id > first.id


def test_counts_are_added_to_what_is_there(uow):
    one, two = an_arm(100, 3), an_arm(50, 1, milliseconds=90.0, errors={"timeout": 1}, cancelled=2, pending=1)
    uow.buckets.add(1, {PLACE: one})
    uow.buckets.add(1, {PLACE: two, replace(PLACE, start=110): two})

    assert between(uow) == {PLACE: total([one, two]), replace(PLACE, start=110): two}


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "other"},
        {"attempt": 2},
        {"side": Side.BASELINE},
        {"backend": "other"},
        {"assigned_by": "rule"},
        {"share": 5},
        {"late": True},
    ],
)
def test_places_that_differ_in_anything_are_counted_apart(uow, changes):
    uow.buckets.add(1, {PLACE: an_arm(1), replace(PLACE, **changes): an_arm(2)})
    uow.buckets.add(1, {PLACE: an_arm(10)})

    assert {arm.calls for arm in between(uow).values()} == {11, 2}


def test_more_places_than_a_statement_has_variables_are_added(uow):
    cells = {replace(PLACE, start=10 * number): an_arm(1) for number in range(400)}
    uow.buckets.add(1, cells)
    uow.buckets.add(1, cells)

    assert {arm.calls for arm in between(uow).values()} == {2}


def test_buckets_are_read_from_a_start_until_before_an_end(uow):
    uow.buckets.add(1, {replace(PLACE, start=start): an_arm(1) for start in (90, 100, 110, 120)})

    assert [place.start for place in between(uow, 100, 120)] == [100, 110]


def test_cells_that_are_taken_are_gone(uow):
    uow.buckets.add(1, {replace(PLACE, start=start): an_arm(1) for start in (90, 100, 110)})
    uow.buckets.add(1, {replace(PLACE, operation="other"): an_arm(1)})

    taken = uow.buckets.take(1, "dspex-bridge", "echo", 90, 110)

    assert sorted(place.start for place, _ in taken) == [90, 100]
    assert sorted((place.start, place.operation) for place in between(uow)) == [(100, "other"), (110, "echo")]


def test_the_oldest_cell_is_found_in_whatever_environment(uow):
    other = uow.environments.add("staging", "s", NOW)
    uow.buckets.add(1, {PLACE: an_arm(1)})
    uow.buckets.add(other.id, {replace(PLACE, start=90): an_arm(1)})

    assert uow.buckets.oldest(91) == (other.id, replace(PLACE, start=90))
    assert uow.buckets.oldest(90) is None


def test_instances_are_added_saved_and_forgotten(uow):
    newer = replace(INSTANCE, sequence=7, version=3, last_seen_at=NOW + timedelta(hours=1))
    uow.instances.add(1, [INSTANCE, replace(INSTANCE, instance="i-2")])
    uow.instances.save(1, [newer])

    assert uow.instances.named(1, ["i-1", "i-9"]) == {"i-1": newer}
    uow.instances.forget_before(NOW + timedelta(minutes=1))
    assert uow.instances.all(1) == [newer]


def test_an_instance_is_known_where_it_reports(uow):
    other = uow.environments.add("staging", "s", NOW)
    uow.instances.add(1, [INSTANCE])

    assert uow.instances.named(other.id, ["i-1"]) == {}
