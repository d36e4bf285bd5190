"""What a page says of a flag's data: how loudly, what a way back costs, and which verbs want the key."""

import pytest

from controlplane.documents.flag import parse_flag
from controlplane.domain.flag import on_stage
from controlplane.domain.phases import Backlog, Phase
from controlplane.domain.rollout import Rollout, State
from controlplane.usecases.answers import answer_flag
from tests.builders import NOW, a_data_flag_document, a_flag_document
from web.ui import overview, phases

STAGE = {Phase.DUAL_WRITE: 0, Phase.SHADOW: 1, Phase.LIVE: 2, Phase.RAMP_DOWN: 4, Phase.COMPLETE: 5}


def answer(phase: Phase, backlog: Backlog = Backlog()):  # noqa: B008 - a frozen fact
    flag = parse_flag(a_data_flag_document())
    if phase is not Phase.OFF:
        flag = on_stage(flag, flag.plan, Rollout(State.RUNNING, STAGE[phase], NOW))
    return answer_flag(flag, None, NOW, backlog)


def test_a_plan_that_moves_no_data_says_nothing_of_phases():
    found = answer_flag(parse_flag(a_flag_document()), None, NOW)

    assert phases.data(found) is None
    assert phases.asks_key(found) == frozenset()
    assert phases.may_finish(found)


@pytest.mark.parametrize(
    ("phase", "backlog", "style", "title"),
    [
        (Phase.DUAL_WRITE, Backlog(), "good", "Both stores are written"),
        (Phase.DUAL_WRITE, Backlog(0, 2), "warn", "Writes are missing: 2 in the store of snakepit"),
        (Phase.LIVE, Backlog(1, 2), "bad", "1 in the store of python_pool_v2 and 2 in the store of snakepit"),
        (Phase.RAMP_DOWN, Backlog(), "warn", "The last phase before the point of no return"),
        (Phase.COMPLETE, Backlog(), "bad", "No way back: python_pool_v2 is written no more"),
    ],
)
def test_the_closer_data_are_to_being_lost_the_louder_it_is_said(phase, backlog, style, title):
    found = phases.data(answer(phase, backlog))

    assert found.style == style
    assert title in found.title
    assert sum(each.writes for each in found.missing) == backlog.writes


def test_before_the_plan_nothing_is_said():
    assert phases.data(answer(Phase.OFF)) is None


def test_the_key_is_asked_for_where_the_next_step_is_behind_the_point_of_no_return():
    asked = {phase: phases.asks_key(answer(phase)) for phase in STAGE}

    assert asked.pop(Phase.RAMP_DOWN) == {"advance", "finish"}
    assert not any(asked.values())
    assert [phase for phase in STAGE if phases.may_finish(answer(phase))] == [Phase.RAMP_DOWN, Phase.COMPLETE]


def test_who_is_about_to_roll_back_reads_what_would_be_lost_and_nothing_else():
    lost = phases.cost(phases.data(answer(Phase.LIVE, Backlog(2, 0))))
    over = phases.cost(phases.data(answer(Phase.COMPLETE)))

    assert "A rollback would lose writes: 2 writes are missing in the store of python_pool_v2" in lost
    assert over.startswith(
        " Nothing was written to python_pool_v2 since 2026-01-05 09:00 UTC. A rollback loses what was"
    )
    assert phases.cost(phases.data(answer(Phase.LIVE))) == ""


def test_a_rollback_that_the_scheduler_leaves_to_a_person_stands_on_top_of_the_list():
    waits = (
        "holds: would roll back, but 1 write is missing in the store of python_pool_v2, so a person decides: it fails"
    )
    found = answer(Phase.LIVE, Backlog(1, 0))
    found |= {"health": None, "held": True, "last_change": None}
    found["rollout"]["waiting_for"] = waits

    told = overview.alarm(found, NOW)

    assert (told.style, told.verb) == ("unhealthy", "rollback")
    assert told.why == waits.removeprefix("holds: ")
