"""Is a flag evaluated as OFREP has it, and as strictly as its official clients need it?"""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from controlplane.domain.errors import InvalidInput
from controlplane.domain.flag_set import FlagSet
from controlplane.evaluator import Evaluator
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment
from controlplane.usecases.flags import create_flag, disable_flag
from controlplane.usecases.rollouts import roll_back
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import Plane, Response, serving, wait_until

BULK = "/ofrep/v1/evaluate/flags"
BRIDGE = Place("production", "dspex-bridge")
REASONS = {"STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "DISABLED", "CACHED", "STALE", "UNKNOWN"}
CODES = {"PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL"}
HALF = {"simple_predict": {"percent": 50}, "train": {"percent": 100}, "echo": {"percent": 0}}
RULES = [{"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "candidate"}]


def a_flag(plane: Plane, key: str = "dspex-bridge", **changes) -> None:
    document = a_flag_document(key=key, plan=None, **{"operations": HALF, **changes})
    create_flag(plane.store, "production", document, a_cause())
    wait_until(lambda: key in plane.poll().json["flags"])


def ask(plane: Plane, key: str = "dspex-bridge", *, body: bytes | None = None, **context) -> Response:
    sent = json.dumps({"context": context}).encode() if body is None else body
    return plane.request("POST", f"{BULK}/{key}", sent, Content_Type="application/json; charset=utf-8")


def ask_all(plane: Plane, held: str | None = None, query: str = "", **context) -> Response:
    headers = {"If_None_Match": held} if held else {}
    return plane.request("POST", BULK + query, json.dumps({"context": context}).encode(), **headers)


@contextmanager
def serving_definition(store, clock, token, **flags) -> Iterator[Plane]:
    """An edge whose flags are not migrations: what a definition may hold besides."""
    sound = {"state": "ENABLED", "metadata": {}}
    document = {
        "metadata": {"flagSetId": "production", "version": "7"},
        "flags": {
            name: {**sound, "defaultVariant": next(iter(each["variants"])), **each} for name, each in flags.items()
        },
    }
    flag_set = FlagSet("production", "s", 7, document, {"broken": "it is upside down"})
    with serving(store, clock, token, flag_set=lambda environment: flag_set) as plane:
        wait_until(lambda: plane.poll().status == 200)
        yield plane


def test_a_flag_is_evaluated_for_the_key_and_the_operation(plane: Plane) -> None:
    a_flag(plane, rules=RULES)

    answer = ask(plane, targetingKey="customer-42", operation="train")

    version = str(plane.poll().json["version"])
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == {
        "key": "dspex-bridge",
        "value": "snakepit",
        "variant": "snakepit",
        "reason": "TARGETING_MATCH",
        "metadata": {"flagSetId": "production", "version": version, "kind": "migration"},
    }
    assert ask(plane, targetingKey="k", operation="echo").json["value"] == "python_pool_v2"
    assert ask(plane, targetingKey="k", operation="echo", tenant="acme").json["value"] == "snakepit"
    assert ask(plane, operation="simple_predict").json["reason"] == "DEFAULT"


@pytest.mark.parametrize("header", ["Authorization", "X_API_Key"])
def test_the_token_may_come_in_either_header(plane: Plane, header: str) -> None:
    a_flag(plane)
    shown = f"Bearer {plane.token}" if header == "Authorization" else plane.token

    for path in (BULK, f"{BULK}/dspex-bridge"):
        assert plane.request("POST", path, b"{}", token=None, **{header: shown}).status == 200


@pytest.mark.parametrize("path", [BULK, f"{BULK}/dspex-bridge"])
def test_nobody_is_answered_without_a_valid_sdk_token(plane: Plane, admin_token: str, path: str) -> None:
    wait_until(lambda: plane.request("GET", "/sdk/v1/snapshot", token=admin_token).status == 403)

    assert plane.request("POST", path, b"{}", token=None).status == 401
    assert plane.request("POST", path, b"{}", token=None, X_API_Key="tb_sdk_unknown").status == 401
    assert plane.request("POST", path, b"{}", token=admin_token).status == 403


def test_a_token_sees_the_flags_of_its_own_environment_alone(plane: Plane, store) -> None:
    create_environment(store, "staging", a_cause())
    create_flag(store, "staging", a_flag_document(key="elsewhere"), a_cause())
    a_flag(plane)

    assert ask(plane, "elsewhere").status == 404
    assert [each["key"] for each in ask_all(plane).json["flags"]] == ["dspex-bridge"]


def test_an_answer_follows_a_change_at_once(plane: Plane) -> None:
    a_flag(plane)
    assert ask(plane, targetingKey="k", operation="train").json["value"] == "snakepit"

    disable_flag(plane.store, BRIDGE, a_cause())

    wait_until(lambda: ask(plane, targetingKey="k", operation="train").json["value"] == "python_pool_v2")


# The traps: each of them broke an official client once.


def every_answer(plane: Plane) -> list[Response]:
    """Of a flag that is at work, off, rolled back, and without anybody in particular."""
    a_flag(plane, rules=RULES)
    a_flag(plane, "off", enabled=False)
    a_flag(plane, "back")
    roll_back(plane.store, Place("production", "back"), a_cause())
    wait_until(lambda: plane.poll().json["flags"]["back"]["rolled_back"])
    contexts = [{}, {"targetingKey": "k"}, {"operation": "train"}, {"tenant": "acme", "operation": "echo"}]
    return [ask(plane, key, **context) for key in ("dspex-bridge", "off", "back") for context in contexts]


def test_an_answer_always_has_a_variant_a_value_and_a_standard_reason(plane: Plane) -> None:
    for answer in every_answer(plane):
        told = answer.json
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert isinstance(told["variant"], str)
        assert told["value"] in {"python_pool_v2", "snakepit"}
        assert told["reason"] in REASONS
        assert all(isinstance(each, str | int | float | bool) for each in told["metadata"].values())


@pytest.mark.parametrize(("key", "reason"), [("off", "disabled"), ("back", "rolled_back")])
def test_our_own_reasons_stand_in_the_metadata(plane: Plane, key: str, reason: str) -> None:
    every_answer(plane)

    told = ask(plane, key, targetingKey="k", operation="train").json

    assert (told["value"], told["reason"], told["metadata"]["reason"]) == ("python_pool_v2", "STATIC", reason)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "\\ud800"}}', "PARSE_ERROR"),
        (b"[" * 50_000, "PARSE_ERROR"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": "x"}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 42}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": true}}', "INVALID_CONTEXT"),
    ],
)
def test_a_refusal_always_has_details_and_a_code_of_the_protocol(plane: Plane, body: bytes, code: str) -> None:
    a_flag(plane)

    one, every = ask(plane, body=body), plane.request("POST", BULK, body)

    assert (one.status, every.status) == (400, 400)
    assert one.headers["content-type"] == every.headers["content-type"] == "application/json"
    assert (one.json["key"], one.json["errorCode"]) == ("dspex-bridge", code)
    assert one.json["errorDetails"] == every.json["errorDetails"]
    assert every.json.keys() == {"errorCode", "errorDetails"}


def test_a_broken_gzip_is_refused_in_the_words_of_the_protocol(plane: Plane) -> None:
    a_flag(plane)
    whole = gzip.compress(b'{"context": {"targetingKey": "k", "operation": "train"}}')

    broken = plane.request("POST", f"{BULK}/dspex-bridge", b"not gzip", Content_Encoding="gzip")

    assert (broken.status, broken.json["errorCode"]) == (400, "PARSE_ERROR")
    assert "gzip" in broken.json["errorDetails"]
    sound = plane.request("POST", f"{BULK}/dspex-bridge", whole, Content_Encoding="gzip")
    assert sound.json["value"] == "snakepit"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"context": null}', b'{"context": {}}'])
def test_a_question_without_a_context_is_asked_for_nobody_in_particular(plane: Plane, body: bytes) -> None:
    a_flag(plane)

    assert ask(plane, body=body).json["value"] == "python_pool_v2"


def test_a_float_keeps_its_point(store, sdk_token, clock) -> None:
    variants = {"one": 1, "half": 0.5}
    with serving_definition(
        store, clock, sdk_token, rate={"variants": variants}, count={"variants": {"n": 3}}
    ) as plane:
        assert b'"value":1.0' in ask(plane, "rate").body
        assert b'"value":3,' in ask(plane, "count").body


@pytest.mark.parametrize("value", [False, True, "", "x", 0, 2**53 - 1, 0.0, 10.0, 1e300, {}, {"a": [1, None]}])
def test_a_value_arrives_as_it_was_written(store, sdk_token, clock, value) -> None:
    with serving_definition(store, clock, sdk_token, f={"variants": {"v": value}}) as plane:
        told = ask(plane, "f").json

        assert (told["value"], type(told["value"])) == (value, type(value))
        assert told["variant"] == "v"


@pytest.mark.parametrize("key", ["a/b", "a%2Fb", "nobody", "%00", "a%0Ab", "%F0%9F%90%8D"])
def test_a_flag_that_is_not_there_is_a_404_of_the_protocol_whatever_its_name(plane: Plane, key: str) -> None:
    answer = ask(plane, key)

    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert answer.json["errorCode"] == "FLAG_NOT_FOUND"
    assert answer.json["errorDetails"]
    assert answer.json["key"]


@pytest.mark.parametrize("key", ["a/b", "a?b", "a#b", "a%b", "a b", ""])
def test_no_flag_has_a_name_that_clients_would_send_as_another(plane: Plane, key: str) -> None:
    with pytest.raises(InvalidInput):
        create_flag(plane.store, "production", a_flag_document(key=key), a_cause())


def test_answers_have_the_shape_that_the_protocol_gives_them(plane: Plane) -> None:
    """Its own `oneOf` lets no answer with a value pass: a value that is none is said to be sound as well."""
    every_answer(plane)
    bulk = ask_all(plane, targetingKey="k").json

    assert bulk.keys() == {"flags", "metadata", "eventStreams"}
    assert bulk["metadata"].keys() == {"flagSetId", "version"}
    for each in bulk["flags"]:
        assert each.keys() == {"key", "value", "variant", "reason", "metadata"}


def test_nothing_waits_for_the_acknowledgement_of_a_header(plane: Plane) -> None:
    """Head and body are two writes; with Nagle's algorithm each answer would take a client's delay of 40 ms."""
    connection = plane.connect()
    connection.request("GET", "/healthz")
    connection.getresponse().read()

    sockets = [each.transport.get_extra_info("socket") for each in plane.server.server_state.connections]
    options = [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets]
    connection.close()

    assert options == [1]


def test_a_question_that_is_too_large_is_refused(plane: Plane) -> None:
    answer = ask(plane, body=b" " * (1 << 17))

    assert answer.status == 413
    assert "a context may have 65536 bytes" in answer.json["detail"]


def test_only_posting_is_allowed(plane: Plane) -> None:
    for path in (BULK, f"{BULK}/dspex-bridge"):
        answer = plane.request("GET", path)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


# All flags at once.


def test_all_flags_are_answered_those_that_fail_among_them(store, sdk_token, clock) -> None:
    fails = {"variants": {"a": "a"}, "targeting": {"cat": ["no", "ne"]}}
    with serving_definition(store, clock, sdk_token, sound={"variants": {"on": True}}, fails=fails) as plane:
        answer = ask_all(plane)

        sound, failed, left_out = answer.json["flags"]
        assert (answer.status, sound["value"]) == (200, True)
        assert (failed["key"], failed["errorCode"]) == ("fails", "GENERAL")
        assert (left_out["key"], left_out["errorCode"]) == ("broken", "PARSE_ERROR")
        assert {failed["errorCode"], left_out["errorCode"]} <= CODES
        assert failed["errorDetails"]
        assert "upside down" in left_out["errorDetails"]
        assert (ask(plane, "fails").status, ask(plane, "broken").status) == (400, 400)
        assert plane.edge.counts["ofrep:evaluations"] == 5
        assert plane.edge.counts["ofrep:failures"] == 4


def test_who_holds_the_answer_is_told_so_and_hears_of_another(plane: Plane) -> None:
    a_flag(plane)
    whole = ask_all(plane, targetingKey="k", operation="train")
    held = whole.headers["etag"]

    same = ask_all(plane, held, targetingKey="k", operation="train")
    listed = ask_all(plane, f'"x", W/{held}', targetingKey="k", operation="train")
    other = ask_all(plane, held, targetingKey="k", operation="echo")

    assert (same.status, same.body, same.headers["etag"]) == (304, b"", held)
    assert listed.status == 304
    assert other.status == 200
    disable_flag(plane.store, BRIDGE, a_cause())
    wait_until(lambda: ask_all(plane, held, targetingKey="k", operation="train").status == 200)


def test_many_flags_are_all_answered(store, sdk_token, clock) -> None:
    flags = {f"f{number}": {"variants": {"v": number}} for number in range(120)}
    with serving_definition(store, clock, sdk_token, **flags) as plane:
        answered = ask_all(plane).json["flags"]

        assert [each["value"] for each in answered[:-1]] == list(range(120))


def test_who_has_heard_of_a_version_elsewhere_is_answered_by_it(store, sdk_token, clock) -> None:
    """Another process told of it; this one has not looked yet, and looks only every ten minutes."""
    with serving(store, clock, sdk_token, look_every=600) as plane:
        before = ask_all(plane, targetingKey="k").json
        create_flag(store, "production", a_flag_document(), a_cause())
        source, version = plane.poll().json["source"], plane.poll().json["version"]
        assert ask_all(plane, targetingKey="k").json["flags"] == before["flags"] == []

        told = f"?flagConfigEtag=%22{source}.{version + 1}%22&flagConfigLastModified=1795458836"

        assert [each["key"] for each in ask_all(plane, query=told).json["flags"]] == ["dspex-bridge"]


@pytest.mark.parametrize("query", ["?flagConfigEtag=", "?flagConfigEtag=%FF", "?flagConfigEtag=x&a", "?%"])
def test_what_a_client_says_it_has_heard_may_be_nonsense(plane: Plane, query: str) -> None:
    assert ask_all(plane, query=query).status == 200


@pytest.mark.parametrize("path", [BULK, f"{BULK}/dspex-bridge", "/flagd.evaluation.v1.Service/ResolveString"])
def test_what_a_caller_could_make_long_is_evaluated_beside_the_event_loop(plane: Plane, monkeypatch, path) -> None:
    a_flag(plane)
    threads, evaluated = [], Evaluator.evaluate

    def noting(self, key, context):
        threads.append(threading.current_thread().name)
        return evaluated(self, key, context)

    monkeypatch.setattr(Evaluator, "evaluate", noting)
    answers = [
        plane.request("POST", path, json.dumps({"flagKey": "dspex-bridge", "context": {"groups": groups}}).encode())
        for groups in ([1], [1] * 20_000)
    ]

    loop, beside = threads
    assert [each.status for each in answers] == [200, 200]
    assert loop != beside
