import json
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.domain.errors import NotFound
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, routing
from controlplane.usecases.changing import Place
from controlplane.usecases.health import flag_health
from controlplane.usecases.instances import list_instances
from controlplane.usecases.telemetry import Incoming, fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

HERE = Place("production", "dspex-bridge")
BASELINE = {"side": "baseline", "backend": "python_pool_v2"}
SECOND = timedelta(seconds=1)
GOLDEN = json.loads((Path(__file__).parents[2] / "contract" / "report_routing.json").read_text())


@pytest.fixture(autouse=True)
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def told(cells=(), instance="i-1", sequence=1, **sections):
    head = {"instance": instance, "service": "bridge-api", "sdk": "x/1", "source": "", "version": 0}
    body = json.dumps({"schema": 1, **head, "sequence": sequence, "sent_at": 1.0, "cells": list(cells), **sections})
    states = {name: sections[name] for name in ("breakers", "overrides") if name in sections}
    return Incoming(environment="production", **head, sequence=sequence, body=body.encode(), **states)


def report(store, lease, *incoming, at=NOW):
    record_reports(store, incoming, at)
    fold(store, lease)


def routed(store, at=NOW + 10 * SECOND):
    return flag_health(store, HERE, at, Clockwork())["operations"]["echo"]


def a_breaker(**changes):
    known = {"flag": "dspex-bridge", "operation": "echo", "side": "candidate", "state": "open"}
    return {**known, "since": NOW.timestamp(), "failure_rate": 0.5, "opens": 1, **changes}


def test_the_golden_report_is_told_as_it_was_meant(store, lease):
    flags.set_operation(store, HERE, "simple_predict", {"percent": 5}, a_cause())
    at = NOW.fromtimestamp(GOLDEN["sent_at"], tz=NOW.tzinfo)
    sections = {name: GOLDEN[name] for name in ("breakers", "mismatches", "receipts", "overrides", "divergences")}
    report(store, lease, told(GOLDEN["cells"], GOLDEN["instance"], **sections), at=at)

    seen = flag_health(store, HERE, at, Clockwork())["operations"]["simple_predict"]
    assert seen["routing"] == {
        "retries": 4,
        "fallbacks": 5,
        "rejected": 15,
        "unknown": 1,
        "shadow": {
            "pairs": 9,
            "match": 7,
            "mismatch": 1,
            "failed": 1,
            "compare_errors": 0,
            "dropped": 2,
            "calls": 9,
            "error_rate": pytest.approx(1 / 9),
        },
        "mismatch_rate": 0.125,
        "ratio": {"p50": 0.5, "p95": pytest.approx(2**0.5, abs=0.001), "p99": pytest.approx(2**0.5, abs=0.001)},
        "noise_floor": None,
        "diverged": 2,
    }
    (breaker,) = seen["breakers"]
    assert (breaker["instance"], breaker["state"], breaker["failure_rate"]) == (GOLDEN["instance"], "open", 0.625)
    (mismatch,) = routing.list_mismatches(store, HERE)
    assert mismatch["paths"] == GOLDEN["mismatches"][0]["paths"]
    assert mismatch["key"] == GOLDEN["mismatches"][0]["key"]
    (receipt,) = routing.list_receipts(store, HERE, "simple_predict")
    assert receipt["idempotency_key"] == GOLDEN["receipts"][0]["idempotency_key"]
    assert routing.list_receipts(store, HERE, "echo") == []
    (override,) = routing.overrides_in_force(store, HERE, at)
    assert override == {
        "instance": GOLDEN["instance"],
        "service": "bridge-api",
        "overrides": {"dspex-bridge/echo": "baseline"},
    }


def test_an_operation_that_told_nothing_has_zeroes_and_no_rates(store):
    seen = routed(store)

    assert seen["breakers"] == []
    assert seen["routing"]["mismatch_rate"] is None
    assert seen["routing"]["ratio"] == {"p50": None, "p95": None, "p99": None}
    assert seen["routing"]["shadow"]["error_rate"] is None
    assert not any(seen["routing"][name] for name in ("retries", "fallbacks", "rejected", "unknown", "diverged"))


def test_breakers_stand_by_instance_until_the_next_report_of_each(store, lease):
    report(store, lease, told(instance="i-1", breakers=[a_breaker(), a_breaker(operation="simple_predict")]))
    report(store, lease, told(instance="i-2", breakers=[a_breaker(state="half_open")]))
    assert [(each["instance"], each["state"]) for each in routed(store)["breakers"]] == [
        ("i-1", "open"),
        ("i-2", "half_open"),
    ]

    report(store, lease, told(instance="i-1", sequence=2))
    assert [each["instance"] for each in routed(store)["breakers"]] == ["i-2"]


def test_a_report_that_came_late_does_not_bring_an_old_state_back(store, lease):
    report(store, lease, told(sequence=2))
    report(store, lease, told(sequence=1, breakers=[a_breaker()]))

    assert routed(store)["breakers"] == []


def test_what_a_process_told_before_it_stopped_is_not_shown(store, lease):
    report(store, lease, told(breakers=[a_breaker()], overrides={"dspex-bridge": "baseline"}))
    later = NOW + timedelta(minutes=11)

    assert routed(store, later)["breakers"] == []
    assert routing.overrides_in_force(store, HERE, later) == []


def test_overrides_of_other_flags_are_not_ours(store, lease):
    report(store, lease, told(overrides={"dspex-bridge-2": "candidate", "other/echo": "baseline"}))

    assert routing.overrides_in_force(store, HERE, NOW) == []
    (instance,) = list_instances(store, "production", NOW)
    assert instance["overrides"] == {"dspex-bridge-2": "candidate", "other/echo": "baseline"}


def test_examples_of_flags_that_do_not_exist_are_dropped(store, lease):
    mismatch = {"flag": "ghost", "operation": "o", "at": 1.0, "key": None, "paths": []}
    receipt = {"flag": "ghost", "operation": "o", "side": "baseline", "at": 1.0}
    report(store, lease, told(mismatches=[mismatch], receipts=[receipt], divergences={"ghost/o": 3}))

    with store.reading() as uow:
        assert uow.examples.newest_mismatches(1, "ghost", None, 9) == []
        assert uow.examples.newest_receipts(1, "ghost", None, 9) == []
        assert uow.examples.divergences(1, "ghost") == []


def test_what_the_baseline_differs_from_itself_is_the_noise_floor_and_no_mismatch(store, lease):
    flags.set_operation(store, HERE, "echo", {"mode": "aa"}, a_cause())
    settled = int(NOW.timestamp()) + 30
    pairs = {"pairs": 100, "match": 95, "mismatch": 5}
    report(
        store, lease, told([a_cell(**BASELINE, start=settled, shadow=pairs, ratio={"0": 100})]), at=NOW + 45 * SECOND
    )

    seen = routed(store, NOW + 60 * SECOND)["routing"]
    assert (seen["noise_floor"], seen["mismatch_rate"], seen["ratio"]["p50"]) == (0.05, None, None)

    flags.set_operation(store, HERE, "echo", {"mode": "shadow"}, a_cause(NOW + 60 * SECOND))
    shadows = {"pairs": 100, "match": 80, "mismatch": 20}
    cell = a_cell(**BASELINE, start=settled + 40, shadow=shadows)
    report(store, lease, told([cell], sequence=2), at=NOW + 85 * SECOND)

    seen = routed(store, NOW + 90 * SECOND)["routing"]
    assert (seen["noise_floor"], seen["mismatch_rate"]) == (0.05, 0.2)


def test_pairs_made_just_after_the_mode_changed_are_not_taken_for_noise(store, lease):
    flags.set_operation(store, HERE, "echo", {"mode": "aa"}, a_cause())
    report(store, lease, told([a_cell(**BASELINE, shadow={"match": 80, "mismatch": 20})]))

    assert routed(store)["routing"]["noise_floor"] is None


def test_a_report_of_an_older_sdk_is_folded_as_ever(store, lease):
    report(store, lease, a_report(a_cell()))

    assert routed(store)["routing"]["retries"] == 0


@pytest.mark.parametrize("asked", [routing.list_mismatches, routing.list_receipts])
def test_examples_of_a_flag_that_does_not_exist_are_not_found(store, asked):
    with pytest.raises(NotFound):
        asked(store, Place("production", "ghost"))
