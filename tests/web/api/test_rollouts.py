"""Rollouts, health and instances over HTTP."""

import pytest

from tests.builders import a_flag_document
from web.api.rollouts import VERBS


@pytest.fixture
def rollout(api):
    api("POST", "", a_flag_document())

    def act(verb, document=None, **rest):
        return api("POST", f"/dspex-bridge/rollout/{verb}", document, **rest)

    return act


def test_a_rollout_is_carried_through_by_hand(rollout) -> None:
    assert rollout("start", {"reason": "Monday"}).json["operations"]["echo"]["percent"] == 1
    assert rollout("advance").json["rollout"]["stage"] == 1
    assert rollout("pause").json["rollout"]["state"] == "paused"
    assert rollout("resume").json["rollout"]["state"] == "running"
    assert rollout("rollback", {"reason": "looks odd"}).json["rollout"]["rolled_back"] is True
    assert rollout("unlock").json["rollout"]["state"] == "idle"


def test_one_operation_can_be_rolled_back_alone(rollout) -> None:
    rollout("start")

    answer = rollout("rollback", {"operation": "echo"}).json

    assert answer["rollout"]["rolled_back_operations"] == ["echo"]
    assert answer["operations"]["simple_predict"]["percent"] == 1
    assert rollout("rollback", {"operation": "none"}).status_code == 404


def test_what_the_state_forbids_is_a_conflict_with_its_sentence(rollout, state) -> None:
    before = state()

    answer = rollout("resume")

    assert answer.status_code == 409
    assert answer.json["detail"] == "cannot resume: the rollout of 'dspex-bridge' is idle, not paused"
    assert state() == before


def test_a_percent_under_a_running_rollout_is_a_conflict(api, rollout) -> None:
    version = rollout("start").json["version"]

    answer = api("PUT", "/dspex-bridge/operations/echo", {"percent": 50}, version=version)

    assert answer.status_code == 409
    assert "pause it first" in answer.json["detail"]


@pytest.mark.parametrize("verb", sorted({*VERBS, "finish"}))
def test_every_verb_has_its_door(rollout, verb) -> None:
    assert rollout(verb).status_code in {200, 409}
    assert rollout(verb, {"raeson": "typo"}).status_code == 422


def test_an_unknown_verb_is_not_found(rollout) -> None:
    assert rollout("explode").status_code == 404


def test_health_and_convergence_answer_before_any_report(api, rollout) -> None:
    health = api("GET", "/dspex-bridge/health?since=2026-01-05T08:00:00Z&until=2026-01-05T09:00:00%2B00:00")
    convergence = api("GET", "/dspex-bridge/convergence")
    instances = api("GET", "/api/v1/environments/production/instances")

    assert set(health.json["operations"]) == {"echo", "simple_predict"}
    assert convergence.json["instances"] == 0
    assert instances.json == {"items": [], "next": None}


@pytest.mark.parametrize("since", ["yesterday", "2026-01-05T08:00:00", "0001-01-01T00:00:00Z", "%00"])
def test_an_instant_that_cannot_be_read_is_named(api, rollout, since) -> None:
    answer = api("GET", f"/dspex-bridge/health?since={since}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "since"


@pytest.mark.parametrize(
    ("asked", "seconds", "step"),
    [("", 900, 10), ("?range=15m", 900, 10), ("?range=24h", 86_400, 240), ("?range=30d", 2_592_000, 7200)],
)
def test_the_series_of_health_reach_as_far_back_as_was_asked_for(api, rollout, asked, seconds, step) -> None:
    health = api("GET", f"/dspex-bridge/health{asked}").json

    starts = health["series"]["starts"]
    assert health["step_seconds"] == step
    assert seconds <= starts[-1] + step - starts[0] <= seconds + 2 * step
    assert set(health["course"]) >= {"times", "attempts", "overall", "log_limit", "log_suspicious"}
    assert health["operations"]["echo"]["waiting_for"] == "every call goes to python_pool_v2"


def test_a_range_that_no_chart_has_is_refused_with_those_that_there_are(api, rollout) -> None:
    refused = api("GET", "/dspex-bridge/health?range=2d")

    assert refused.status_code == 422
    assert refused.json["errors"] == [{"field": "range", "message": "must be one of 15m, 1h, 6h, 24h, 7d, 30d"}]
