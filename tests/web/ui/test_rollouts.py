"""Can a rollout be led through its whole life with buttons, and is a rollback impossible to overlook?"""

from datetime import timedelta

from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.rollout import State
from controlplane.store import Store
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Cause, Order, Place, change_flag
from tests.builders import NOW, a_cause
from tests.web.ui.visitor import FLAG, Visitor, visible

BRIDGE = Place("production", "dspex-bridge")


def test_a_rollout_is_started_paused_resumed_advanced_and_aborted(store: Store, flag: None, operator: Visitor) -> None:
    states = []
    for verb in ("start", "pause", "resume", "advance", "abort"):
        operator.done(f"{FLAG}/rollout/{verb}", reason="a story")
        states.append(flags.get_flag(store, BRIDGE).rollout.state)

    assert states == [State.RUNNING, State.PAUSED, State.RUNNING, State.RUNNING, State.ABORTED]


def test_the_reason_of_a_verb_stands_in_the_history(flag: None, operator: Visitor) -> None:
    assert "night shift agreed" in operator.done(f"{FLAG}/rollout/start", reason="night shift agreed")


def test_percents_are_not_to_be_typed_while_a_rollout_sets_them(flag: None, operator: Visitor) -> None:
    page = operator.post(f"{FLAG}/rollout/start")
    assert page.status_code == 303

    text = operator.get(FLAG).text

    assert 'id="percent-echo"' not in text
    assert "Pause it to set one by hand" in text


def test_a_rollback_by_the_scheduler_is_told_with_time_and_sentence(store: Store, flag: None, viewer: Visitor) -> None:
    rollouts.start(store, BRIDGE, a_cause())
    cause = Cause(SCHEDULER, NOW + timedelta(minutes=4), "echo: snakepit failed for 13 of 127 keys")
    order = Order(Action.ROLLOUT_ROLL_BACK, lambda seen: rollouts.taken_back(seen, cause, None, automatic=True))
    change_flag(store, BRIDGE, cause, order)

    told = viewer.text(FLAG)

    assert "Rolled back automatically at 09:04:00 UTC echo: snakepit failed for 13 of 127 keys" in told
    assert "The flag cools down until" in told


def test_a_flag_that_cannot_be_started_says_what_is_missing(store: Store, flag: None, operator: Visitor) -> None:
    flags.disable_flag(store, BRIDGE, a_cause())

    assert "Enable the flag" in operator.text(FLAG)


def test_what_the_state_forbids_is_refused_with_its_reason(flag: None, operator: Visitor) -> None:
    refused = operator.post(f"{FLAG}/rollout/finish")

    assert refused.status_code == 409
    assert "Nothing was changed: cannot finish" in visible(refused)


def test_a_verb_that_does_not_exist_is_not_found(flag: None, operator: Visitor) -> None:
    assert operator.post(f"{FLAG}/rollout/explode").status_code == 404
