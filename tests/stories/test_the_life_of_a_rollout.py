"""The table of docs/rollouts.md, held against the program: each verb in each state."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.domain.audit import Action
from controlplane.domain.errors import Refused
from controlplane.domain.rollout import State, completed
from controlplane.store import Store, open_store
from controlplane.usecases import finishing, flags, rollouts
from controlplane.usecases.changing import Order, Place, change_flag
from controlplane.usecases.environments import ensure_first
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.acting import lock

HERE = Place("production", "dspex-bridge")
PAGE = Path(__file__).parents[2] / "docs" / "rollouts.md"
REFUSED = "–"
VERBS = {
    "start": rollouts.start,
    "pause": rollouts.pause,
    "resume": rollouts.resume,
    "advance": rollouts.advance,
    "step-back": rollouts.step_back,
    "approve": rollouts.approve,
    "abort": rollouts.abort,
    "rollback": rollouts.roll_back,
    "unlock": rollouts.unlock,
    "finish": finishing.finish,
}
STAGES = [{"percent": each, "bake_seconds": 60, "approval": True} for each in (1, 10, 50, 98)]


def table() -> list[tuple[str, str, str]]:
    """(state, verb, what follows) of each cell."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in PAGE.read_text().splitlines() if "|" in line
    ]
    head = next(number for number, row in enumerate(rows) if row[0] == "state")
    verbs = rows[head][1:]
    body = [row for row in rows[head + 2 :] if len(row) == len(verbs) + 1]
    return [(row[0], verb, after) for row in body for verb, after in zip(verbs, row[1:], strict=True)]


@pytest.fixture
def store(migrated_sqlite_url):
    with open_store(migrated_sqlite_url) as opened:
        ensure_first(opened, a_cause())
        flags.create_flag(opened, "production", a_flag_document(plan={"stages": STAGES}), a_cause())
        yield opened


def running(store: Store) -> None:
    rollouts.start(store, HERE, a_cause())
    rollouts.advance(store, HERE, a_cause())


def over(store: Store) -> None:
    """What the scheduler does after the last bake."""
    running(store)
    for _ in STAGES[2:]:
        rollouts.advance(store, HERE, a_cause())
    order = Order(Action.ROLLOUT_COMPLETE, lambda flag: replace(flag, rollout=completed(flag.rollout, NOW)))
    change_flag(store, HERE, a_cause(), order)


def bring_to(store: Store, state: State) -> None:
    if state is State.SCHEDULED:
        rollouts.start(store, HERE, a_cause(), NOW + timedelta(days=1))
    elif state is State.LOCKED:
        lock(store, HERE)
    elif state in {State.COMPLETED, State.FINISHED}:
        over(store)
    elif state is not State.IDLE:
        running(store)
    for which, act in (
        (State.PAUSED, rollouts.pause),
        (State.FINISHED, finishing.finish),
        (State.ABORTED, rollouts.abort),
        (State.ROLLED_BACK, rollouts.roll_back),
    ):
        if state is which:
            act(store, HERE, a_cause())


def test_the_table_has_every_state_and_every_verb() -> None:
    assert {state for state, _, _ in table()} == {state.value for state in State}
    assert {verb for _, verb, _ in table()} == set(VERBS)


@pytest.mark.parametrize(("state", "verb", "after"), table())
def test_the_page_says_what_happens(store, state, verb, after) -> None:
    bring_to(store, State(state))
    before = flags.get_flag(store, HERE)
    assert before.rollout.state == state

    if after == REFUSED:
        with pytest.raises(Refused):
            VERBS[verb](store, HERE, a_cause())
        assert flags.get_flag(store, HERE) == before
    else:
        assert VERBS[verb](store, HERE, a_cause()).rollout.state == after
