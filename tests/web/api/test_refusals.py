"""Everything that must not be accepted: the field is named, and nothing has changed."""

import json

import pytest

from tests.builders import a_flag_document, a_plan_document
from tests.web.conftest import FLAGS

DUPLICATE = '{"key": "a", "baseline": "x", "candidate": "y", "operations": {"echo": {"percent": 1, "percent": 50}}}'


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"operations": {"echo": {"percent": -1}}}, "operations.echo.percent"),
        ({"operations": {"echo": {"percent": 100.001}}}, "operations.echo.percent"),
        ({"operations": {"echo": {"percent": 5.0001}}}, "operations.echo.percent"),
        ({"operations": {"echo": {"percent": "5"}}}, "operations.echo.percent"),
        ({"operations": {"echo": {"percent": True}}}, "operations.echo.percent"),
        ({"operations": {"echo": {"percnt": 5}}}, "operations.echo.percnt"),
        ({"operations": {"no spaces": {"percent": 5}}}, "operations.no spaces"),
        ({"operatons": {}}, "operatons"),
        ({"plan": a_plan_document(10, 1)}, "plan.stages.1.percent"),
        ({"plan": a_plan_document(10, 10)}, "plan.stages.1.percent"),
        ({"candidate": "python_pool_v2"}, "candidate"),
        ({"key": "-starts-with-a-dash"}, "key"),
        ({"key": "x" * 101}, "key"),
        ({"baseline": ""}, "baseline"),
        ({"baseline": None}, "baseline"),
        ({"guardrails": {"max_error_rate": 5}}, "guardrails.max_error_rate"),
        ({"guardrails": {"max_latency_ms": {"p42": 5}}}, "guardrails.max_latency_ms.p42"),
        ({"description": "x" * 2001}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"description": "\ud800"}, "description"),
    ],
)
@pytest.mark.parametrize("door", ["POST", "PUT", "PATCH"])
def test_a_wrong_field_is_named_and_nothing_changes(api, state, door, changes, field) -> None:
    if door != "POST":
        api("POST", "", a_flag_document())
    if door == "PATCH" and "baseline" in changes and changes["baseline"] is None:
        changes = {"baseline": 7}
    before = state()

    path = "" if door == "POST" else "/dspex-bridge"
    document = changes if door == "PATCH" else a_flag_document(**changes)
    answer = api(door, path, document, version=None if door == "POST" else 1)

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert field in [each["field"] for each in answer.json["errors"]]
    assert state() == before


@pytest.mark.parametrize(
    ("part", "document", "field"),
    [
        ("guardrails", {"window_seconds": "x"}, "window_seconds"),
        ("guardrails", {"window_seconds": 1}, "window_seconds"),
        ("guardrails", {"compare": {"alpha": 3}}, "compare.alpha"),
        ("guardrails", {"max_latency_ms": {"p42": 5}}, "max_latency_ms.p42"),
        ("guardrails", {"compare": None}, "guardrails"),
        ("plan", {"stages": [{"percent": 5}]}, "stages.0.bake_seconds"),
        ("plan", a_plan_document(10, 1), "stages.1.percent"),
        ("plan", {**a_plan_document(10), "operations": ["nobody"]}, "operations"),
        ("operations/echo", {"percent": "x"}, "percent"),
        ("operations/echo", {"guardrails": {"window_seconds": 1}}, "guardrails.window_seconds"),
    ],
)
def test_of_a_part_the_fields_are_named_as_they_were_sent(api, state, part, document, field) -> None:
    api("POST", "", a_flag_document())
    before = state()

    answer = api("PUT", f"/dspex-bridge/{part}", document, version=1)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert state() == before


def test_every_wrong_field_is_told_at_once(api) -> None:
    answer = api("POST", "", a_flag_document(key="-", candidate="python_pool_v2", plan=a_plan_document(50, 10)))

    assert {"key", "candidate", "plan.stages.1.percent"} <= {each["field"] for each in answer.json["errors"]}


def sent(api, text, mimetype="application/json", path=FLAGS):
    headers = {"Authorization": f"Bearer {api.token}"}
    return api.client.post(path, data=text, content_type=mimetype, headers=headers)


def test_a_field_given_twice_is_refused_by_its_path(api, state) -> None:
    before = state()

    answer = sent(api, DUPLICATE)

    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "operations.echo.percent", "message": "is given twice"}]
    assert state() == before


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"key": NaN}', '{"key": Infinity}', b"\xff\xfe", "[" * 100_000])
def test_what_is_no_json_is_malformed(api, state, text) -> None:
    before = state()

    answer = sent(api, text)

    assert answer.status_code in {400, 422}  # too deep to read is told as a field error
    assert state() == before


@pytest.mark.parametrize("text", ["[]", "null", "7", '"text"', "true"])
def test_what_is_no_object_is_refused(api, text) -> None:
    answer = sent(api, text)

    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "body", "message": "must be an object"}]


def test_what_is_nested_too_deep_is_refused(api) -> None:
    document: dict = {}
    for _ in range(40):
        document = {"rules": document}

    assert sent(api, json.dumps(document)).status_code == 422


def test_a_body_that_is_too_large_is_refused(api, state) -> None:
    before = state()

    answer = sent(api, json.dumps(a_flag_document(description="x" * (1024 * 1024))))

    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"
    assert state() == before


def test_a_body_of_another_kind_is_refused(api) -> None:
    assert sent(api, "key=a", "application/x-www-form-urlencoded").status_code == 415


def test_a_number_that_no_float_can_hold_is_refused(api) -> None:
    text = json.dumps(a_flag_document()).replace('"percent": 0', '"percent": 1e999', 1)

    assert sent(api, text).status_code == 422


@pytest.mark.parametrize("name", ["%00", "a%20b", "..", "%F0%9F%98%80", "x" * 101])
def test_a_name_that_nothing_can_have_is_not_found(api, name) -> None:
    assert api("GET", f"/{name}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["?serach=a", "?limit=0", "?limit=many", "?archived=yes", "?search=%00", "?limit=99999999999999999999"],
)
def test_a_parameter_that_cannot_be_read_is_named(api, query) -> None:
    answer = api("GET", query)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == query[1:].partition("=")[0]


def test_a_reason_that_is_too_long_is_refused(api, state) -> None:
    api("POST", "", a_flag_document())
    before = state()

    answer = api("POST", "/dspex-bridge/disable", {"reason": "x" * 2001})

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "reason"
    assert state() == before
