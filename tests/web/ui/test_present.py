"""Does the big sentence say what is true, and is a button there exactly when it works?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.domain.errors import Refused
from controlplane.store import Store
from controlplane.usecases import finishing, flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.entries import newest_changes
from tests.builders import NOW, a_cause, a_data_flag_document, a_flag_document, a_plan_document
from web.ui import present, stages, standing, verbs

BRIDGE = Place("production", "dspex-bridge")


def answer(store: Store, at: timedelta = timedelta(0)) -> dict[str, Any]:
    return describe_flag(store, BRIDGE, NOW + at)


def sentence(store: Store, at: timedelta = timedelta(0)) -> str:
    return "".join(part.text for part in standing.state(answer(store, at), NOW + at)).replace("\u202f", " ")


def test_a_running_rollout_says_share_operations_backend_since_and_until(store: Store, flag: None) -> None:
    rollouts.start(store, BRIDGE, a_cause())

    assert (
        sentence(store, timedelta(hours=1))
        == "1 % of echo and simple_predict on snakepit since 09:00, bakes until 12 Jan 09:00."
    )


def test_percents_that_differ_are_told_one_by_one(store: Store, flag: None) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause())
    flags.set_operation(store, BRIDGE, "simple_predict", {"percent": 0.5}, a_cause())

    assert sentence(store) == "5 % of echo and 0.5 % of simple_predict on snakepit, set by hand."


def test_what_stops_every_call_is_said_first(store: Store, flag: None) -> None:
    assert sentence(store) == "Enabled at 0 %: every call goes to python_pool_v2."

    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause())
    flags.disable_flag(store, BRIDGE, a_cause())
    assert sentence(store) == "Disabled: every call goes to python_pool_v2."

    rollouts.roll_back(store, BRIDGE, a_cause())
    assert sentence(store) == "Rolled back: every call goes to python_pool_v2 since 09:00:00."


def test_the_phase_of_data_that_move_is_said_first(store: Store) -> None:
    flags.create_flag(store, "production", a_data_flag_document(guardrails=None), a_cause())
    rollouts.start(store, BRIDGE, a_cause())

    assert sentence(store).startswith("Phase dual write: every call goes to python_pool_v2. Writes also go to snakepit")

    rollouts.pause(store, BRIDGE, a_cause())
    assert sentence(store).startswith("Paused in the phase dual write: every call goes to ")

    rollouts.resume(store, BRIDGE, a_cause())
    for _ in range(2):
        rollouts.advance(store, BRIDGE, a_cause())
    assert sentence(store).startswith("Phase live: 50 % of read and write on snakepit since 09:00:00")


def test_stages_are_past_present_and_planned(store: Store, flag: None) -> None:
    rollouts.start(store, BRIDGE, a_cause())
    rollouts.advance(store, BRIDGE, a_cause())

    drawn = stages.stations(answer(store), NOW)

    assert [each.style for each in drawn] == ["past", "present", "planned", "planned"]
    assert drawn[1].done == 0


def test_a_stage_says_what_else_happens_to_a_call_until_a_later_one_says_otherwise(store: Store) -> None:
    planned = [{"percent": 0, "mode": "shadow"}, {"percent": 1}, {"percent": 10, "mode": "single"}]
    plan = {"stages": [{"bake_seconds": 60, **each} for each in planned]}
    flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())

    shown = stages.stations(answer(store), NOW)

    assert [each.mode for each in shown] == ["shadow", "shadow", ""]
    rollouts.start(store, BRIDGE, a_cause())
    assert sentence(store) == (
        "Enabled at 0 %: every call goes to python_pool_v2. Answers are compared with those of snakepit."
    )


def test_a_rollback_marks_the_stage_where_it_happened(store: Store, flag: None) -> None:
    rollouts.start(store, BRIDGE, a_cause())
    rollouts.roll_back(store, BRIDGE, a_cause(reason="errors on my screen"))

    banner = present.banner(answer(store), newest_changes(store, BRIDGE))

    assert stages.stations(answer(store), NOW)[0].style == "stopped"
    assert banner
    assert (banner.title, banner.sentence) == ("Rolled back by ann@example.org at 09:00:00 UTC", "errors on my screen")


def test_a_flag_that_was_taken_back_needs_attention_and_a_quiet_one_does_not(store: Store, flag: None) -> None:
    assert present.attention(answer(store), NOW) is None

    rollouts.roll_back(store, BRIDGE, a_cause())

    assert present.attention(answer(store), NOW) == "unhealthy"


def test_every_word_of_a_search_must_occur_somewhere(store: Store, flag: None) -> None:
    assert present.matches(answer(store), "SNAKE predict")
    assert present.matches(answer(store), "")
    assert not present.matches(answer(store), "snake missing")


DEEDS = {
    "start": rollouts.start, "pause": rollouts.pause, "resume": rollouts.resume, "advance": rollouts.advance,
    "approve": rollouts.approve, "abort": rollouts.abort, "finish": finishing.finish,
}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        (), ("start",), ("start", "pause"), ("start", "abort"), ("start", "advance"), ("start", "advance", "advance"),
        ("start", "advance", "advance", "finish"), ("start", "approve"), ("start", "pause", "approve"),
    ],
)  # fmt: skip
def test_a_button_is_there_exactly_when_the_domain_lets_it_be_pressed(store: Store, path: tuple[str, ...]) -> None:
    plan = a_plan_document(1, 50)
    plan["stages"][0]["approval"] = True
    flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())
    for step in path:
        DEEDS[step](store, BRIDGE, a_cause())

    offered = {verb.name for verb in verbs.allowed(answer(store))} & set(DEEDS)

    assert offered == {name for name in DEEDS if _works(store, name)}


@pytest.mark.parametrize(
    ("waits", "style"), [("bakes until 12:00", "primary"), ("holds: it is slow", ""), (None, "primary")]
)
def test_nobody_is_invited_to_finish_what_is_in_doubt(store: Store, waits: str | None, style: str) -> None:
    flags.create_flag(store, "production", a_flag_document(plan=a_plan_document(50)), a_cause())
    rollouts.start(store, BRIDGE, a_cause())
    told = answer(store)

    offered = verbs.allowed({**told, "rollout": {**told["rollout"], "waiting_for": waits}})

    assert {verb.style for verb in offered if verb.name == "finish"} == {style}


def _works(store: Store, name: str) -> bool:
    """Whether the use case would change something; tried on a copy, so that the next one finds the same flag."""
    before = flags.get_flag(store, BRIDGE)
    copy = Place("production", f"copy-{name}")
    with store.writing() as uow:
        environment = uow.environments.get("production")
        uow.flags.add(environment.id, replace(before, key=copy.flag))
        uow.commit()
    try:
        return DEEDS[name](store, copy, a_cause()).version > before.version
    except Refused:
        return False
