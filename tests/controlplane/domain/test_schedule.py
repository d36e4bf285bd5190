"""When would the stages of a plan be entered, and when is it closed?"""

from dataclasses import replace
from datetime import time, timedelta

from controlplane.domain.calendar import Calendar, Freeze, Weekday, Window
from controlplane.domain.rollout import Rollout, State
from controlplane.domain.schedule import Stay, closed, planned
from tests.builders import NOW, a_plan

HOUR = timedelta(hours=1)
RUNNING = Rollout(state=State.RUNNING, stage=1, entered_at=NOW - HOUR / 2, attempt=1)
OFFICE = Window(tuple(Weekday)[:5], time(9), time(17), "UTC")


def test_each_stage_follows_when_the_one_before_has_baked() -> None:
    assert planned(a_plan(1, 10, 50), RUNNING, Calendar(), NOW) == [
        Stay(1, NOW - HOUR / 2, NOW + HOUR / 2),
        Stay(2, NOW + HOUR / 2, NOW + 3 * HOUR / 2),
    ]


def test_a_stage_that_has_baked_moves_on_now_at_the_earliest() -> None:
    late = replace(RUNNING, entered_at=NOW - 5 * HOUR)

    assert planned(a_plan(1, 10, 50), late, Calendar(), NOW)[0].until == NOW


def test_a_freeze_and_closed_hours_put_the_next_stage_off() -> None:
    freeze = Freeze("Inventory", NOW, NOW + 9 * HOUR)  # until Monday evening, so Tuesday morning it is

    found = planned(a_plan(1, 10, 50), RUNNING, Calendar((OFFICE,), (freeze,)), NOW)

    assert found[0].until == NOW + 24 * HOUR


def test_what_never_opens_ends_the_plan_with_a_stage_of_no_end() -> None:
    never = Calendar((Window((), time(9), time(17), "UTC"),))

    assert planned(a_plan(1, 10, 50), RUNNING, never, NOW) == [Stay(1, NOW - HOUR / 2, None)]


def test_a_scheduled_start_begins_at_the_first_stage() -> None:
    scheduled = Rollout(state=State.SCHEDULED, start_at=NOW + HOUR)

    assert planned(a_plan(1, 10), scheduled, Calendar(), NOW)[0] == Stay(0, NOW + HOUR, NOW + 2 * HOUR)


def test_nothing_is_planned_where_nothing_moves_by_itself() -> None:
    for state in set(State) - {State.RUNNING, State.SCHEDULED}:
        assert planned(a_plan(), replace(RUNNING, state=state), Calendar(), NOW) == []


def test_the_closed_hours_are_those_that_no_window_is_open_in() -> None:
    calendar = Calendar((OFFICE, replace(OFFICE, opens=time(16), closes=time(18))))

    assert closed(calendar, NOW - HOUR, NOW + 25 * HOUR) == [
        (NOW - HOUR, NOW),
        (NOW + 9 * HOUR, NOW + 24 * HOUR),
    ]


def test_without_windows_nothing_is_closed() -> None:
    assert closed(Calendar(), NOW, NOW + HOUR) == []
