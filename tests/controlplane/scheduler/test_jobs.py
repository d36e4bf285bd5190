"""Does exactly one scheduler act, whatever happens to the others?"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controlplane.domain.errors import LeaseLost
from controlplane.domain.flag import Side
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties, Scheduler
from controlplane.scheduler.jobs import LEASE_LASTS
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.store.reports import Place
from tests.builders import NOW, an_arm

MOMENT = timedelta(milliseconds=1)


class FakeClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Ticks:
    """Counts ticks by holder, each fenced as a real one is; fails when it is told to."""

    def __init__(self) -> None:
        self.by: list[str] = []
        self.fails = False

    def __call__(self, store: Store, _clock: object, _clockwork: Clockwork, lease: Lease) -> None:
        if self.fails:
            raise ValueError("a bug")
        with store.writing() as uow:
            uow.leases.check(lease)
        self.by.append(lease.holder)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def pair(store: Store, clock: FakeClock, ticks: Ticks) -> tuple[Duties, Duties]:
    """Two schedulers of one database; the first one has the lease."""
    first, second = (Duties(store, clock, Clockwork(), name, ticks) for name in ("first", "second"))
    first.heartbeat()
    second.heartbeat()
    return first, second


def test_only_the_one_with_the_lease_ticks(pair: tuple[Duties, Duties], ticks: Ticks) -> None:
    for duties in pair:
        duties.tick()

    assert ticks.by == ["first"]


def test_a_lease_that_is_renewed_stays(pair: tuple[Duties, Duties], clock: FakeClock) -> None:
    first, second = pair
    for _ in range(10):
        clock.now += LEASE_LASTS - MOMENT
        first.heartbeat()
        second.heartbeat()

    assert first.lease
    assert first.lease.epoch == 1
    assert second.lease is None


def test_another_takes_over_when_the_lease_ran_out_and_not_before(
    pair: tuple[Duties, Duties], clock: FakeClock
) -> None:
    _, second = pair

    clock.now += LEASE_LASTS - MOMENT
    second.heartbeat()
    too_early = second.lease
    clock.now += MOMENT
    second.heartbeat()

    assert too_early is None
    assert second.lease
    assert second.lease.epoch == 2


def test_one_that_slept_through_the_end_of_its_lease_changes_nothing(
    pair: tuple[Duties, Duties], clock: FakeClock, ticks: Ticks
) -> None:
    sleeper, second = pair
    clock.now += LEASE_LASTS
    second.heartbeat()

    sleeper.tick()
    second.tick()

    assert ticks.by == ["second"]
    assert sleeper.counts["lease_lost"] == 1


def test_a_stopped_one_lets_the_next_lead_at_once(pair: tuple[Duties, Duties], ticks: Ticks) -> None:
    first, second = pair

    first.stop()
    second.heartbeat()
    for duties in pair:
        duties.tick()

    assert ticks.by == ["second"]


def test_a_tick_that_fails_is_counted_and_the_next_one_goes_on(pair: tuple[Duties, Duties], ticks: Ticks) -> None:
    first, _ = pair
    ticks.fails = True
    first.tick()
    ticks.fails = False

    first.tick()

    assert ticks.by == ["first"]
    assert (first.counts["tick_failed"], first.counts["ticks"]) == (1, 1)


def test_one_that_cannot_reach_the_database_does_not_believe_to_lead(clock: FakeClock, store: Store) -> None:
    duties = Duties(store, clock, Clockwork(), "first")
    duties.heartbeat()
    led = duties.lease

    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO elsewhere")
    duties.heartbeat()

    assert led
    assert duties.lease is None
    assert duties.counts["heartbeat_failed"] == 1


def test_a_real_tick_on_an_empty_control_plane_does_nothing_and_says_so(clock: FakeClock, store: Store) -> None:
    duties = Duties(store, clock, Clockwork(), "first")
    duties.heartbeat()

    duties.tick()
    duties.pack()
    duties.forget()

    assert duties.counts == {"ticks": 1}


def test_what_is_closed_is_packed_by_the_one_that_leads(
    pair: tuple[Duties, Duties], store: Store, clock: FakeClock
) -> None:
    place = Place("dspex-bridge", int(NOW.timestamp()), "echo", 1, Side.CANDIDATE, "snakepit", "share", 1000)
    with store.writing() as uow:
        uow.buckets.add(1, {place: an_arm(5), replace(place, start=place.start + 10): an_arm(5)})
        uow.commit()
    clock.now += timedelta(hours=1)
    first, second = pair
    first.heartbeat()

    for duties in (second, first):
        duties.pack()

    assert (first.counts["packed"], second.counts["packed"]) == (2, 0)


def test_a_lease_is_checked_by_its_epoch(pair: tuple[Duties, Duties], store: Store, clock: FakeClock) -> None:
    first, second = pair
    old = first.lease
    clock.now += LEASE_LASTS
    second.heartbeat()
    clock.now += LEASE_LASTS
    first.heartbeat()

    assert old
    with store.writing() as uow, pytest.raises(LeaseLost):
        uow.leases.check(old)


def test_the_lease_is_looked_at_three_times_before_it_runs_out(store: Store, clock: FakeClock) -> None:
    duties = Duties(store, clock, Clockwork(), "first")
    scheduler = Scheduler(duties, tick_seconds=3_600)

    scheduler.start()
    pauses = {job.func: job.trigger.interval for job in scheduler._beats.get_jobs()}
    scheduler.stop()

    assert pauses[duties.heartbeat] == LEASE_LASTS / 3


def test_a_scheduler_begins_at_once_and_gives_the_lease_back(store: Store, ticks: Ticks) -> None:
    clock = FakeClock()
    duties = Duties(store, clock, Clockwork(), "first", ticks)
    scheduler = Scheduler(duties, tick_seconds=3_600)

    scheduler.start()
    led = duties.lease
    scheduler.stop()

    other = Duties(store, clock, Clockwork(), "second", ticks)
    other.heartbeat()
    assert led
    assert other.lease
    assert other.lease.epoch == 2
