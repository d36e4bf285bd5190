"""How an operation is routed, over HTTP: set, refused by name, and what came of it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import Incoming, fold, record_reports
from tests.builders import NOW, a_flag_document

GOLDEN = json.loads((Path(__file__).parents[2] / "contract" / "report_routing.json").read_text())
HEAD = ("instance", "service", "sdk", "sequence", "source", "version")


@pytest.fixture(autouse=True)
def bridge(api) -> None:
    assert api("POST", "", a_flag_document()).status_code == 201


@pytest.fixture
def heard(store) -> None:
    """One process has reported, just now."""
    later = NOW.timestamp() - GOLDEN["cells"][0]["start"]
    cells = [{**cell, "start": int(NOW.timestamp())} for cell in GOLDEN["cells"]]
    breakers = [{**each, "since": each["since"] + later} for each in GOLDEN["breakers"]]
    body = json.dumps({**GOLDEN, "cells": cells, "breakers": breakers}).encode()
    head = {name: GOLDEN[name] for name in HEAD}
    told = Incoming("production", **head, body=body, breakers=breakers, overrides=GOLDEN["overrides"])
    record_reports(store, [told], NOW)
    lease = lead(store, "test", NOW, timedelta(days=1))
    assert lease
    fold(store, lease)


def put(api, document, version=1):
    return api("PUT", "/dspex-bridge/operations/echo", document, version=version)


def test_a_breaker_is_forced_open_and_let_go(api) -> None:
    forced = put(api, {"breaker": {"mode": "forced_open"}})
    assert forced.status_code == 200
    assert forced.json["operations"]["echo"]["breaker"] == {"mode": "forced_open"}
    snapshot = api("GET", "/api/v1/environments/production/snapshot").json
    assert snapshot["flags"]["dspex-bridge"]["operations"]["echo"]["breaker"] == {"mode": "forced_open"}
    (entry,) = api("GET", "/dspex-bridge/history?limit=1").json["items"]
    assert (entry["action"], entry["changes"]) == (
        "operation:set",
        [{"path": "operations.echo.breaker", "from": None, "to": {"mode": "forced_open"}}],
    )

    assert "breaker" not in put(api, {"breaker": {"mode": None}}, version=2).json["operations"]["echo"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"breaker": {"mode": "ajar"}}, "breaker.mode"),
        ({"breaker": {"failure_rate": 2}}, "breaker.failure_rate"),
        ({"retry": {"attempts": 11}}, "retry.attempts"),
        ({"mode": "dual_write", "shadow_percent": 50}, "shadow_percent"),
        ({"mode": "dual_write", "breaker": {"mode": "forced_open"}}, "breaker.mode"),
    ],
)
def test_settings_that_cannot_be_obeyed_are_refused_by_their_field(api, document, field) -> None:
    refused = put(api, document)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == [field]


def test_health_tells_what_came_of_the_routing_and_which_breakers_are_open(api, heard, clock) -> None:
    clock.go_on(timedelta(seconds=10))

    seen = api("GET", "/dspex-bridge/health").json["operations"]["simple_predict"]

    assert {name: seen["routing"][name] for name in ("retries", "fallbacks", "rejected", "unknown", "diverged")} == {
        "retries": 4,
        "fallbacks": 5,
        "rejected": 15,
        "unknown": 1,
        "diverged": 2,
    }
    assert seen["routing"]["mismatch_rate"] == 0.125
    (breaker,) = seen["breakers"]
    assert breaker["state"] == "open"
    assert breaker["instance"] == GOLDEN["instance"]
    assert breaker["since"].startswith("2026-01-05T09:00:04.5")


def test_examples_of_mismatches_and_uncertain_writes_are_listed(api, heard) -> None:
    (mismatch,) = api("GET", "/dspex-bridge/mismatches").json["items"]
    assert mismatch["paths"] == GOLDEN["mismatches"][0]["paths"]
    assert mismatch["at"].startswith("2026-09-2")

    (receipt,) = api("GET", "/dspex-bridge/receipts?operation=simple_predict&limit=1").json["items"]
    assert receipt["idempotency_key"] == GOLDEN["receipts"][0]["idempotency_key"]
    assert api("GET", "/dspex-bridge/mismatches?operation=echo").json["items"] == []


@pytest.mark.parametrize("path", ["/ghost/mismatches", "/ghost/receipts"])
def test_a_flag_that_does_not_exist_has_no_examples(api, path) -> None:
    assert api("GET", path).status_code == 404


def test_an_instance_says_which_override_it_obeys(api, heard) -> None:
    (instance,) = api("GET", "/api/v1/environments/production/instances").json["items"]

    assert instance["overrides"] == {"dspex-bridge/echo": "baseline"}
