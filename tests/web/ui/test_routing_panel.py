"""The panel that shows how calls are routed: words, forms, and that it works without a script."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.access import Role
from controlplane.store import Store
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import Incoming, fold, record_reports
from tests.builders import NOW, a_cause
from tests.web.conftest import Clock
from tests.web.ui.visitor import FLAG, Visitor, visible
from web.ui.routing import overridden, seen_words, state_look

GOLDEN = json.loads((Path(__file__).parents[2] / "contract" / "report_routing.json").read_text())
BRIDGE = Place("production", "dspex-bridge")
PANEL = f"{FLAG}/operations/simple_predict/routing"


def heard(store: Store, instance: str = "i-1", **changes: Any) -> None:
    """A process reports the golden bucket, just now."""
    cells = [{**cell, "start": int(NOW.timestamp())} for cell in GOLDEN["cells"]]
    told = {**GOLDEN, "instance": instance, "cells": cells, **changes}
    told["breakers"] = [{**each, "since": NOW.timestamp()} for each in told["breakers"]]
    head = {name: told[name] for name in ("service", "sdk", "sequence", "source", "version", "breakers", "overrides")}
    record_reports(store, [Incoming("production", instance, **head, body=json.dumps(told).encode())], NOW)
    lease = lead(store, "test", NOW, timedelta(days=1))
    assert lease
    fold(store, lease)


def panel(visitor: Visitor) -> str:
    _, _, rest = visitor.text(FLAG).partition("last 5 minutes")
    return rest.partition(" History Whole audit ")[0]


def test_the_panel_tells_breakers_by_instance_counts_and_pairs(
    store: Store, flag: None, viewer: Visitor, clock: Clock
) -> None:
    heard(store)
    heard(store, "i-2", breakers=[], overrides={})
    clock.go_on(timedelta(seconds=10))

    told = panel(viewer)

    assert "Open in 1 of 2" in told
    assert "i-1 bridge-api, snakepit, since 09:00:00 , 62 % failed" in told
    assert "rescued by the baseline 10" in told
    assert "held back by a breaker 30" in told
    assert "writes of unknown outcome 2" in told
    assert "2 of 16 pairs differ" in told
    assert "No noise floor yet" in told
    assert "1 instance obeys a local override" in told
    assert "dspex-bridge/echo → baseline: i-1" in told


def test_examples_show_types_and_hashes_and_no_value_that_was_not_shown(
    store: Store, flag: None, viewer: Visitor
) -> None:
    heard(store)

    told = panel(viewer)

    assert "$.label str of 4, #8c1f2ab0 str of 3, #17d9a04e" in told
    assert "$.scores[1] float: 0.25 missing" in told


def test_a_breaker_that_is_told_what_to_do_is_named_beside_the_mode(store: Store, flag: None, viewer: Visitor) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"mode": "aa", "breaker": {"mode": "forced_closed"}}, a_cause())

    assert "echo A/A for 1 % of keys, breaker forced closed" in panel(viewer)


def test_a_flag_of_which_nobody_reports_says_so(flag: None, viewer: Visitor) -> None:
    assert "Not known: no service reports" in panel(viewer)


def test_only_operators_are_offered_the_form(flag: None, signed_in: Callable[[Role], Visitor]) -> None:
    assert PANEL not in signed_in(Role.VIEWER).get(FLAG).text
    assert PANEL in signed_in(Role.OPERATOR).get(FLAG).text


def test_mode_sample_and_breaker_are_set_without_a_script(store: Store, flag: None, operator: Visitor) -> None:
    told = operator.done(
        PANEL, mode="shadow", shadow_percent="2,5", breaker="forced_closed", expected="1", reason="first look"
    )

    assert "simple_predict is routed so." in told
    operation = flags.get_flag(store, BRIDGE).operations["simple_predict"]
    assert (operation.mode, operation.shadow_share, operation.breaker.mode) == ("shadow", 2_500, "forced_closed")
    assert "shadow for 2.5 % of keys" in operator.text(FLAG)


@pytest.mark.parametrize(("attempts", "said"), [("1", "single, no retry"), ("5", "single, at most 5 attempts")])
def test_attempts_are_set_without_a_script_and_an_empty_field_leaves_them_to_the_code(
    store: Store, flag: None, operator: Visitor, attempts: str, said: str
) -> None:
    flags.set_operation(store, BRIDGE, "simple_predict", {"retry": {"cap_seconds": 1.5}}, a_cause())

    operator.done(PANEL, mode="single", breaker="", attempts=attempts)
    assert f"simple_predict {said}" in operator.text(FLAG)
    operator.done(PANEL, mode="single", breaker="", attempts=" ")

    operation = flags.get_flag(store, BRIDGE).operations["simple_predict"]
    assert (operation.retry.attempts, operation.retry.cap_seconds) == (None, 1.5)


def test_a_mode_that_does_not_sample_takes_its_sample_along(store: Store, flag: None, operator: Visitor) -> None:
    operator.done(PANEL, mode="shadow", shadow_percent="5", breaker="")
    operator.done(PANEL, mode="dual_write", shadow_percent="5", breaker="")

    operation = flags.get_flag(store, BRIDGE).operations["simple_predict"]
    assert (operation.mode, operation.shadow_share, operation.breaker.mode) == ("dual_write", None, None)


def test_the_form_leaves_alone_what_it_does_not_show(store: Store, flag: None, operator: Visitor) -> None:
    written = {"breaker": {"min_calls": 50}, "retry": {"attempts": 2}}
    flags.set_operation(store, BRIDGE, "simple_predict", written, a_cause())

    operator.done(PANEL, mode="single", breaker="forced_open")

    operation = flags.get_flag(store, BRIDGE).operations["simple_predict"]
    assert (operation.breaker.min_calls, operation.retry.attempts) == (50, 2)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"mode": "shadow", "shadow_percent": "many"}, "must be a number"),
        ({"mode": "shadow", "shadow_percent": "101"}, "must be between 0 and 100"),
        ({"mode": "dual_write", "breaker": "forced_open"}, "half of a dual write"),
        ({"mode": "sideways"}, "should be"),
        ({"mode": "single", "attempts": "11"}, "must be between 1 and 10"),
        ({"mode": "single", "attempts": "often"}, "must be"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_in_a_sentence(
    flag: None, operator: Visitor, fields: dict[str, str], sentence: str
) -> None:
    refused = operator.post(PANEL, **fields)

    assert refused.status_code == 422
    assert sentence in visible(refused)


def test_what_is_switched_off_is_told(store: Store, flag: None, viewer: Visitor) -> None:
    flags.patch_flag(store, BRIDGE, {"switches": {"retry": False, "shadow": False}}, a_cause())

    assert "Switched off for this flag: retry, shadow." in panel(viewer)


def test_the_form_of_a_flag_keeps_its_routing(store: Store, flag: None, operator: Visitor) -> None:
    flags.patch_flag(store, BRIDGE, {"switches": {"retry": False}}, a_cause())
    flags.set_operation(store, BRIDGE, "echo", {"mode": "shadow"}, a_cause())

    operator.done(
        f"{FLAG}/edit", baseline="python_pool_v2", candidate="snakepit", operations="echo\nsimple_predict", expected="3"
    )

    saved = flags.get_flag(store, BRIDGE)
    assert (saved.switches.off, saved.operations["echo"].mode) == (("retry",), "shadow")


def test_a_state_that_only_a_newer_sdk_knows_is_told_in_its_word() -> None:
    assert state_look("cooling_off").word == "Cooling off"


def test_a_candidate_that_is_much_slower_is_told_in_digits(
    store: Store, flag: None, viewer: Visitor, clock: Clock
) -> None:
    slow = [{**cell, "ratio": {"28": 9, "76": 1}} if "ratio" in cell else cell for cell in GOLDEN["cells"]]
    heard(store, cells=[{**cell, "start": int(NOW.timestamp())} for cell in slow])
    clock.go_on(timedelta(seconds=10))

    assert re.search(r"the candidate's time for the same call ×12, p99.×790", panel(viewer))


def test_overrides_are_told_by_place() -> None:
    told = [
        {"instance": "i-1", "overrides": {"f": "baseline"}},
        {"instance": "i-2", "overrides": {"f": "baseline", "f/o": "candidate"}},
    ]

    assert overridden(told) == (
        "2 instances obey a local override",
        ("f → baseline: i-1, i-2", "f/o → candidate: i-2"),
    )
    assert overridden([]) is None


def test_one_side_that_has_nothing_is_told() -> None:
    assert seen_words(None) == "nothing"
    assert seen_words({"type": "dict", "size": 3}) == "dict of 3"
