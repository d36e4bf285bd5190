"""Is an event tried often enough, never for ever, and in its order as long as that keeps nothing else back?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controlplane.domain.delivery import (
    HOLDS_UP,
    JITTER,
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    WAITS,
    Delivery,
    Outcome,
    State,
    attempted,
    event_id,
    next_up,
    wait_after,
)
from tests.builders import NOW

FRESH = Delivery(1, 1, "production", 7, "evt_ab_7", "rollout:roll_back", "dspex-bridge", NOW, next_at=NOW)
SECOND = timedelta(seconds=1)
CHANCES = st.floats(0, 1)
outcomes = st.builds(
    Outcome,
    status=st.one_of(st.none(), st.integers(100, 599)),
    retry_after=st.one_of(st.none(), st.timedeltas(timedelta(), timedelta(days=30))),
)


@pytest.mark.parametrize(
    ("status", "good"), [(200, True), (204, True), (299, True), (199, False), (301, False), (500, False), (None, False)]
)
def test_only_what_was_answered_with_2xx_has_arrived(status, good) -> None:
    assert Outcome(status).is_success is good


def test_a_redirect_says_that_it_is_not_followed() -> None:
    assert Outcome(302).sentence == "it answered 302, and redirects are not followed"


@given(st.integers(1, MOST_ATTEMPTS), CHANCES, CHANCES)
def test_waits_grow_whatever_the_chance(attempts, one, other) -> None:
    planned = timedelta(seconds=WAITS[min(attempts, len(WAITS)) - 1])

    assert planned <= wait_after(attempts, one) <= planned * (1 + JITTER)
    if attempts < len(WAITS):
        assert wait_after(attempts, one) < wait_after(attempts + 1, other)


@given(st.integers(1, MOST_ATTEMPTS), CHANCES, st.timedeltas(timedelta(), timedelta(days=365)))
def test_an_endpoint_can_ask_for_more_time_but_not_for_more_than_a_day(attempts, chance, asked) -> None:
    wait = wait_after(attempts, chance, asked)

    assert wait >= wait_after(attempts, chance)
    assert wait >= min(asked, LONGEST_WAIT)
    assert wait <= LONGEST_WAIT * (1 + JITTER)


def test_all_attempts_take_three_days() -> None:
    assert timedelta(days=3) < timedelta(seconds=sum(WAITS)) < timedelta(days=4)


class Life(RuleBasedStateMachine):
    """One delivery under outcomes in any order, each when it is due or later."""

    def __init__(self) -> None:
        super().__init__()
        self.delivery, self.now, self.told = FRESH, NOW, []

    @precondition(lambda self: self.delivery.state is State.PENDING)
    @rule(outcome=outcomes, chance=CHANCES, late=st.timedeltas(timedelta(), timedelta(days=2)))
    def try_it(self, outcome, chance, late) -> None:
        assert self.delivery.next_at is not None
        self.now = max(self.now, self.delivery.next_at) + late
        assert self.delivery.is_due(self.now)
        self.delivery = attempted(self.delivery, outcome, self.now, chance)
        self.told.append(outcome)

    @rule(later=st.timedeltas(timedelta(), timedelta(days=2)))
    def let_time_pass(self, later) -> None:
        self.now += later
        due = self.delivery.next_at is not None and self.delivery.next_at <= self.now
        assert self.delivery.is_due(self.now) is due

    @invariant()
    def it_is_what_its_story_says(self) -> None:
        delivery = self.delivery
        assert delivery.attempts == len(self.told) <= MOST_ATTEMPTS
        assert all(not each.is_success for each in self.told[:-1])
        arrived = bool(self.told) and self.told[-1].is_success
        assert (delivery.state is State.DELIVERED) is arrived
        assert (delivery.state is State.FAILED) is (not arrived and len(self.told) == MOST_ATTEMPTS)

    @invariant()
    def it_is_tried_again_if_and_only_if_it_is_pending(self) -> None:
        delivery = self.delivery
        assert (delivery.next_at is not None) is (delivery.state is State.PENDING)
        if delivery.last_at and delivery.next_at:
            assert delivery.last_at + timedelta(seconds=WAITS[0]) <= delivery.next_at

    @invariant()
    def it_is_the_same_event(self) -> None:
        assert (self.delivery.id, self.delivery.event, self.delivery.entry) == (FRESH.id, FRESH.event, FRESH.entry)


TestLife = Life.TestCase


def pending(number: int, attempts: int = 0, wait: timedelta = timedelta()) -> Delivery:
    return replace(FRESH, id=number, attempts=attempts, next_at=NOW + wait)


def test_a_short_failure_keeps_the_order() -> None:
    row = [pending(1, attempts=1, wait=SECOND), pending(2), pending(3)]

    assert next_up(row, NOW) is None
    assert next_up(row, NOW + SECOND) == row[0]


def test_a_long_failure_keeps_nothing_else_back() -> None:
    row = [pending(1, attempts=HOLDS_UP + 1, wait=SECOND), pending(2), pending(3)]

    assert next_up(row, NOW) == row[1]
    assert next_up(row, NOW + SECOND) == row[0]


@given(st.lists(st.tuples(st.integers(0, MOST_ATTEMPTS), st.integers(-5, 5)), max_size=8))
def test_what_is_next_is_due_and_nothing_before_it_was(row) -> None:
    deliveries = [pending(number, attempts, wait * SECOND) for number, (attempts, wait) in enumerate(row)]

    found = next_up(deliveries, NOW)

    if found:
        before = deliveries[: found.id]
        assert found.is_due(NOW)
        assert not [each for each in before if each.is_due(NOW) or each.holds_up]
    else:
        due = [each.id for each in deliveries if each.is_due(NOW)]
        holding = [each.id for each in deliveries if each.holds_up]
        assert not due or (holding and holding[0] < due[0])


def test_an_event_has_one_name_that_a_signature_can_cover() -> None:
    assert event_id("0123abcd", 42) == "evt_0123abcd_42"
    assert "." not in event_id("0123abcd", 42)
