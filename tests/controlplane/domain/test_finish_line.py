from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.finish_line import Traces, Usage, finish_line, stale_because
from controlplane.domain.flag import Flag, Operation
from controlplane.domain.rollout import Rollout, State
from controlplane.domain.share import FULL
from tests.builders import NOW

DAY = timedelta(days=1)
OVER = Flag(
    key="dspex-bridge",
    baseline="python_pool_v2",
    candidate="snakepit",
    enabled=True,
    operations={"echo": Operation(FULL)},
    rollout=Rollout(State.FINISHED, entered_at=NOW),
    created_at=NOW - 90 * DAY,
    updated_at=NOW,
)
UNUSED = Usage(0, 9000, NOW - 15 * DAY)


def test_a_baseline_that_nobody_called_for_fourteen_days_is_ready_to_be_removed():
    finish = finish_line(OVER, UNUSED, NOW)

    assert finish.ready
    assert finish.sentence == "0 calls to python_pool_v2 for 14 days: ready to remove"


@pytest.mark.parametrize(
    ("flag", "usage", "said"),
    [
        (
            OVER,
            Usage(3, 9000, NOW - 12 * DAY),
            "3 calls went to python_pool_v2 in the last 14 days, the last one 12 days",
        ),
        (OVER, Usage(0, 0, None), "that shows nothing"),
        (replace(OVER, enabled=False), UNUSED, "the flag is disabled"),
        (replace(OVER, rollout=Rollout(State.RUNNING), operations={"echo": Operation(5)}), UNUSED, "state running"),
        (replace(OVER, rolled_back=True), UNUSED, "not over"),
    ],
)
def test_it_is_not_ready_for_a_reason_that_is_said(flag, usage, said):
    finish = finish_line(flag, usage, NOW)

    assert not finish.ready
    assert said in finish.sentence


@given(st.integers(0, 5), st.integers(0, 5), st.booleans(), st.sampled_from(State), st.sampled_from([0, 5, FULL]))
def test_ready_means_over_silent_at_the_baseline_and_heard_at_the_candidate(ours, theirs, enabled, state, share):
    flag = replace(OVER, enabled=enabled, rollout=Rollout(state), operations={"echo": Operation(share)})

    ready = finish_line(flag, Usage(theirs, ours, None), NOW).ready

    over = enabled and (state in {State.COMPLETED, State.FINISHED} or share == FULL)
    assert ready == bool(over and not theirs and ours)


def reasons(flag=OVER, last_call_at=NOW, registered=True, later=0 * DAY) -> str:
    return "; ".join(stale_because(flag, Traces(last_call_at, registered), NOW + later))


def test_a_flag_in_use_is_not_stale():
    assert reasons() == ""


def test_stale_flags_are_named_with_every_reason():
    told = reasons(registered=False, later=40 * DAY)

    assert "its rollout has been finished for 40 days" in told
    assert "every operation has been at 100 % for 40 days" in told
    assert "no call has been reported for 40 days" in told
    assert "no running process registers it" in told


def test_a_flag_that_nobody_ever_called_says_so():
    assert "no call was ever reported for 90 days" in reasons(last_call_at=None)


def test_an_sdk_that_tells_no_registrations_is_no_reason():
    assert reasons(registered=None) == ""
