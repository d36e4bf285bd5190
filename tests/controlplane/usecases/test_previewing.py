"""What a change would move, said beforehand from what was measured."""

from datetime import timedelta

import pytest

from controlplane.domain.errors import InvalidInput, NotFound
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.finishing import finish
from controlplane.usecases.previewing import preview
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

HERE = Place("production", "dspex-bridge")
LAST = timedelta(minutes=10)


@pytest.fixture
def ahead(store):
    return lambda: preview(store, HERE, NOW, Clockwork())


@pytest.fixture(autouse=True)
def bridge(store) -> None:
    operations = {"echo": {"percent": 10}, "simple_predict": {"percent": 0}}
    flags.create_flag(store, "production", a_flag_document(operations=operations), a_cause())


@pytest.fixture
def heard(store, lease) -> None:
    """Ten minutes in which echo was called 2 000 times, with 200 keys that were new."""
    start = int((NOW - LAST).timestamp())
    told = {"backend": "python_pool_v2", "side": "baseline", "calls": 1000, "keys": 1000, "start": start, "share": 0}
    cells = [a_cell(**{**told, "start": start + 10 * number}, attempt=0) for number in range(2)]
    for cell in cells:
        (index,) = cell["key_latency"]
        cell["key_rise"] = {"from": {}, "to": {index: 100}}
        cell["halves"] = {"fresh_keys": [50, 50], "bad_keys": [0, 0]}
    record_reports(store, [a_report(*cells)], NOW - timedelta(seconds=30))
    fold(store, lease)


def test_a_percent_says_how_many_calls_an_hour_move_and_from_how_many_new_keys(heard, ahead) -> None:
    told = ahead().of_percent("echo", "20")

    assert told == "About 1\u202f200 calls an hour move to snakepit, from 120 new keys and those known before."


def test_a_smaller_percent_moves_them_back(heard, ahead) -> None:
    told = ahead().of_percent("echo", "5")

    assert told == "About 600 calls an hour move back to python_pool_v2, from 60 new keys and those known before."


def test_without_measurements_it_says_so(heard, ahead) -> None:
    assert ahead().of_percent("simple_predict", "5") == (
        "How much moves is not known: nothing of simple_predict was measured in the last 10 minutes."
    )


def test_nothing_moves_where_nothing_is_changed_or_the_flag_is_off(store, heard, ahead) -> None:
    assert ahead().of_percent("echo", "10") == "Nothing moves at once."
    flags.disable_flag(store, HERE, a_cause())
    assert ahead().of_percent("echo", "50") == "Nothing moves: the flag is disabled."


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("start", "How much moves is not known: nothing of simple_predict was measured in the last 10 minutes."),
        ("disable", "About 1\u202f200 calls an hour move back to python_pool_v2, from 120 new keys"),
        ("rollback", "About 1\u202f200 calls an hour move back to python_pool_v2, from 120 new keys"),
        ("pause", ""),
        ("approve", ""),
        ("unlock", ""),
    ],
)
def test_a_verb_says_what_it_moves(heard, ahead, verb, said) -> None:
    told = ahead().of_verb(verb)

    assert told.startswith(said)
    assert bool(told) is bool(said)


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "advance", "step_back", "abort", "roll_back", "finish"])
def test_what_a_verb_says_is_what_it_does(store, heard, ahead, verb) -> None:
    document = {"operations": {"echo": {"percent": 10}}}
    flags.patch_flag(store, HERE, {**document, "plan": {"stages": _stages(5, 20, 50)}}, a_cause())
    flags.remove_operation(store, HERE, "simple_predict", a_cause())
    if verb != "start":
        rollouts.start(store, HERE, a_cause())
        rollouts.advance(store, HERE, a_cause())
    if verb == "resume":
        rollouts.pause(store, HERE, a_cause())
        flags.set_operation(store, HERE, "echo", {"percent": 30}, a_cause())
    if verb == "finish":
        rollouts.advance(store, HERE, a_cause())
    before = ahead()

    act = finish if verb == "finish" else getattr(rollouts, verb)
    after = act(store, HERE, a_cause())

    told = before.of_verb({"step_back": "step-back", "roll_back": "rollback"}.get(verb, verb))
    assert told == ("" if verb == "pause" else before.told(after))
    assert verb == "pause" or told.startswith("About ")


def _stages(*percents):
    return [{"percent": each, "bake_seconds": 60} for each in percents]


@pytest.mark.parametrize("percent", ["101", "-1", "much", "", "0.0001", "NaN"])
def test_a_percent_that_cannot_be_set_is_refused(ahead, percent) -> None:
    with pytest.raises(InvalidInput):
        ahead().of_percent("echo", percent)


def test_an_operation_that_is_not_there_is_not_found(ahead) -> None:
    with pytest.raises(NotFound):
        ahead().of_percent("nothing", "1")
