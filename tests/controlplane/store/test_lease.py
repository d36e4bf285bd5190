from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from controlplane.domain.errors import LeaseLost, Unreachable
from controlplane.store import lease
from controlplane.usecases.leading import lead, step_down
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


def check(store, lease):
    with store.writing() as uow:
        uow.leases.check(lease)


def test_one_scheduler_leads_and_another_does_not(store):
    first = lead(store, "one", NOW, MINUTE)

    assert first
    assert lead(store, "two", NOW + MINUTE / 2, MINUTE) is None
    check(store, first)


def test_a_lease_that_is_renewed_in_time_stays_the_same(store):
    first = lead(store, "one", NOW, MINUTE)

    assert lead(store, "one", NOW + MINUTE / 2, MINUTE) == first
    assert lead(store, "two", NOW + MINUTE * 1.2, MINUTE) is None


def test_a_lease_that_ran_out_is_taken_over_and_fences_off_the_sleeper(store):
    sleeper = lead(store, "one", NOW, MINUTE)

    other = lead(store, "two", NOW + MINUTE, MINUTE)

    assert (other.holder, other.epoch) == ("two", sleeper.epoch + 1)
    check(store, other)
    with pytest.raises(LeaseLost, match="held by two"):
        check(store, sleeper)


def test_a_sleeper_that_takes_its_own_lease_again_begins_a_new_epoch(store):
    sleeper = lead(store, "one", NOW, MINUTE)

    again = lead(store, "one", NOW + MINUTE, MINUTE)

    assert again.epoch == sleeper.epoch + 1
    with pytest.raises(LeaseLost):
        check(store, sleeper)


def test_whoever_steps_down_lets_another_lead_at_once(store):
    first = lead(store, "one", NOW, MINUTE)
    step_down(store, first, NOW)

    assert lead(store, "two", NOW, MINUTE)


def test_a_sleeper_cannot_give_back_what_it_no_longer_has(store):
    sleeper = lead(store, "one", NOW, MINUTE)
    other = lead(store, "two", NOW + MINUTE, MINUTE)
    step_down(store, sleeper, NOW + MINUTE)

    assert lead(store, "one", NOW + MINUTE, MINUTE) is None
    check(store, other)


def test_a_lease_nobody_took_is_held_by_nobody(store):
    taken = lead(store, "one", NOW, MINUTE)

    with pytest.raises(LeaseLost, match="held by nobody"), store.writing() as uow:
        uow.leases.check(type(taken)("other", "one", 1))


@pytest.mark.parametrize("after", [None, MINUTE], ids=["at the very first", "after it ran out"])
def test_of_schedulers_that_race_exactly_one_leads(store, after):
    if after:
        lead(store, "before", NOW, MINUTE)
    together = Barrier(4)

    def race(number):
        together.wait()
        return lead(store, f"racer {number}", NOW + (after or timedelta(0)), MINUTE)

    with ThreadPoolExecutor(4) as racers:
        leases = [lease for lease in racers.map(race, range(4)) if lease]

    assert len(leases) == 1
    check(store, leases[0])


@pytest.mark.postgresql
def test_a_holder_that_falls_silent_in_the_middle_of_a_transaction_loses_its_lock(postgres_store, monkeypatch):
    """Frozen between two statements: without a bound its lock on the row would outlive its lease for good."""
    silent = lead(postgres_store, "one", NOW, MINUTE)

    def fall_silent_until_another_leads():
        with postgres_store.writing() as uow:
            with monkeypatch.context() as soon:  # for this one alone: the other may be slow, and not on purpose
                soon.setattr(lease, "MUTE_SECONDS", 1)
                uow.leases.check(silent)
            assert lead(postgres_store, "two", NOW + MINUTE, MINUTE).epoch == silent.epoch + 1
            uow.commit()

    with pytest.raises(Unreachable):
        fall_silent_until_another_leads()
    assert lead(postgres_store, "two", NOW + MINUTE * 1.5, MINUTE)


@pytest.mark.postgresql
def test_the_bound_is_that_of_one_transaction_and_not_of_its_connection(postgres_store):
    check(postgres_store, lead(postgres_store, "one", NOW, MINUTE))

    with postgres_store.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one() == "0"
