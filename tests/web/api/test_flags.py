"""Flags over HTTP: what was sent is what is answered, and nobody overwrites what they have not seen."""

import io
import json

import pytest

from tests.builders import a_flag_document, a_plan_document
from tests.web.conftest import FLAGS


@pytest.fixture
def bridge(api) -> str:
    assert api("POST", "", a_flag_document()).status_code == 201
    return "/dspex-bridge"


def test_a_created_flag_is_found_at_its_location(api) -> None:
    answer = api("POST", "", a_flag_document())

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{FLAGS}/dspex-bridge"
    assert answer.headers["ETag"] == '"1"'
    assert api("GET", answer.headers["Location"]).json == answer.json


def test_a_flag_is_answered_as_it_was_sent(api) -> None:
    sent = a_flag_document()

    answer = api("POST", "", sent).json

    assert {name: answer[name] for name in ("key", "owner", "tags", "baseline", "candidate", "enabled")} == {
        name: sent[name] for name in ("key", "owner", "tags", "baseline", "candidate", "enabled")
    }
    assert answer["plan"]["stages"][0] == {"percent": 1, "bake_seconds": 604800, "approval": False}
    assert answer["rollout"]["state"] == "idle"


def test_a_key_is_given_once(api, bridge) -> None:
    assert api("POST", "", a_flag_document()).status_code == 409


def test_a_reader_who_has_the_newest_version_gets_304(api, bridge) -> None:
    assert api("GET", bridge, headers={"If-None-Match": '"1"'}).status_code == 304
    assert api("GET", bridge, headers={"If-None-Match": '"2"'}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("PUT", "", a_flag_document()),
        ("PATCH", "", {"owner": "x"}),
        ("DELETE", "", None),
        ("PUT", "/operations/echo", {"percent": 5}),
        ("DELETE", "/operations/echo", None),
        ("PUT", "/guardrails", {"min_samples": 5}),
        ("PUT", "/plan", a_plan_document(5)),
        ("POST", "/revert", {"to_version": 1}),
        ("POST", "/plan/copy", {"from": "dspex-bridge"}),
    ],
)
def test_a_definition_is_changed_only_by_who_has_seen_it(api, bridge, state, method, path, document) -> None:
    before = state()

    assert api(method, bridge + path, document).status_code == 428
    assert api(method, bridge + path, document, version=7).status_code == 412
    assert api(method, bridge + path, document, headers={"If-Match": "7"}).status_code == 400
    assert state() == before
    assert api(method, bridge + path, document, version=1).status_code == 200


@pytest.mark.parametrize("act", ["disable", "rollout/rollback", "rollout/abort", "rollout/pause"])
def test_nothing_stands_between_an_operator_and_the_brake(api, bridge, act) -> None:
    api("POST", f"{bridge}/rollout/start")

    answer = api("POST", f"{bridge}/{act}", headers={"If-Match": "nonsense"})

    assert answer.status_code == 200


def test_enabling_looks_at_the_version_if_one_is_given(api) -> None:
    api("POST", "", a_flag_document(enabled=False))

    assert api("POST", "/dspex-bridge/enable", version=9).status_code == 412
    assert api("POST", "/dspex-bridge/enable").json["enabled"] is True


def test_put_replaces_and_patch_merges(api, bridge) -> None:
    patched = api("PATCH", bridge, {"owner": None, "guardrails": {"min_samples": 7}}, version=1).json
    replaced = api("PUT", bridge, {"baseline": "python_pool_v2", "candidate": "snakepit"}, version=2).json

    assert patched["owner"] == ""
    assert patched["guardrails"]["min_samples"] == 7
    assert patched["guardrails"]["max_error_rate"] == 0.05
    assert replaced["guardrails"] is None
    assert replaced["operations"] == {}


def test_patch_speaks_merge_patch(api, bridge) -> None:
    answer = api.client.patch(
        FLAGS + bridge,
        data='{"owner": "x"}',
        headers={"Authorization": f"Bearer {api.token}", "If-Match": '"1"'},
        content_type="application/merge-patch+json",
    )

    assert answer.json["owner"] == "x"


def test_an_answer_can_be_sent_back(api, bridge) -> None:
    answer = api("GET", bridge).json

    assert api("PUT", bridge, answer, version=1).json["version"] == 1


def test_a_percent_alone_is_a_share_with_its_reason(api, bridge) -> None:
    answer = api("PUT", f"{bridge}/operations/echo?reason=careful", {"percent": 0.001}, version=1).json
    entry = api("GET", f"{bridge}/history").json["items"][0]

    assert answer["operations"]["echo"]["percent"] == 0.001
    assert (entry["action"], entry["reason"], entry["version"]) == ("share:set", "careful", 2)
    assert {"path": "operations.echo.percent", "from": 0, "to": 0.001} in entry["changes"]
    assert entry["actor"] == {"kind": "token", "name": "terraform"}


def test_revert_brings_back_an_earlier_definition(api, bridge) -> None:
    api("PATCH", bridge, {"owner": "somebody else"}, version=1)

    answer = api("POST", f"{bridge}/revert", {"to_version": 1, "reason": "wrong team"}, version=2)

    assert answer.json["owner"] == "ml-platform"
    assert answer.json["version"] == 3
    assert api("POST", f"{bridge}/revert", {"to_version": 99}, version=3).status_code == 404
    assert api("POST", f"{bridge}/revert", {"to_version": 10**30}, version=3).status_code == 422


def test_an_archived_flag_leaves_the_list_and_keeps_its_history(api, bridge) -> None:
    api("DELETE", bridge, version=1)

    assert api("GET", "").json["items"] == []
    assert [each["key"] for each in api("GET", "?archived=true").json["items"]] == ["dspex-bridge"]
    assert api("GET", f"{bridge}/history").json["items"][0]["action"] == "flag:archive"


def test_flags_are_searched_and_read_in_pages(api) -> None:
    for key in ("a", "b", "c"):
        api("POST", "", a_flag_document(key=key, tags=["odd"] if key != "b" else []))

    first = api("GET", "?limit=2").json
    second = api("GET", f"?limit=2&after={first['next']}").json

    assert [each["key"] for each in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None
    assert [each["key"] for each in api("GET", "?tag=odd").json["items"]] == ["a", "c"]
    assert len(api("GET", "?search=SNAKEPIT").json["items"]) == 3
    assert api("GET", "?search=nothing+like+this").json["items"] == []


def test_the_same_key_may_live_in_two_environments(api, bridge) -> None:
    assert api("POST", "/api/v1/environments", {"name": "staging"}).status_code == 201

    answer = api("POST", "/api/v1/environments/staging/flags", a_flag_document(enabled=False))

    assert answer.status_code == 201
    assert api("GET", bridge).json["enabled"] is True
    assert [each["flags"] for each in api("GET", "/api/v1/environments").json["items"]] == [1, 1]


def test_what_services_are_told_can_be_looked_at(api, bridge) -> None:
    assert "dspex-bridge" in api("GET", "/api/v1/environments/production/snapshot").json["flags"]


def test_a_body_may_come_in_chunks(api) -> None:
    answer = api.client.post(
        FLAGS,
        input_stream=io.BytesIO(json.dumps(a_flag_document()).encode()),
        headers={"Authorization": f"Bearer {api.token}", "Transfer-Encoding": "chunked"},
        content_type="application/json",
    )

    assert answer.status_code == 201
