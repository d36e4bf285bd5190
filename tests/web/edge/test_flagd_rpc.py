"""Are the clients answered that ask by flagd's own service, in JSON? Their requests are written as they write them."""

import json

import pytest

from controlplane.domain.flag_set import FlagSet
from controlplane.usecases.flags import create_flag
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import Plane, Response, serving, wait_until

V1, V2 = "/flagd.evaluation.v1.Service", "/flagd.evaluation.v2.Service"
VALUES = {"yes": True, "text": "x", "whole": 3, "point": 0.5, "tree": {"a": [1]}}


@pytest.fixture
def flag(plane: Plane) -> None:
    document = a_flag_document(operations={"train": {"percent": 100}, "echo": {"percent": 0}}, plan=None)
    create_flag(plane.store, "production", document, a_cause())
    wait_until(lambda: "dspex-bridge" in plane.poll().json["flags"])


@pytest.fixture
def typed(store, sdk_token, clock):
    """Flags of every type, of a definition by hand."""
    flags = {
        name: {"state": "ENABLED", "variants": {"v": value}, "defaultVariant": "v"} for name, value in VALUES.items()
    }
    document = {"metadata": {"flagSetId": "production"}, "flags": flags}
    flag_set = FlagSet("production", "s", 1, document, {"broken": "it is upside down"})
    with serving(store, clock, sdk_token, flag_set=lambda environment: flag_set) as plane:
        wait_until(lambda: plane.poll().status == 200)
        yield plane


def ask(plane: Plane, path: str, body: object) -> Response:
    return plane.request("POST", path, json.dumps(body).encode(), Content_Type="application/json")


@pytest.mark.parametrize(("service", "named"), [(V1, "flagKey"), (V2, "flag_key"), (V1, "flag_key"), (V2, "flagKey")])
def test_a_migration_is_a_text_and_the_key_may_be_written_either_way(plane: Plane, flag, service, named) -> None:
    context = {"targetingKey": "k", "operation": "train"}

    answer = ask(plane, f"{service}/ResolveString", {named: "dspex-bridge", "context": context})

    told = answer.json
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert (told["value"], told["variant"], told["reason"]) == ("snakepit", "snakepit", "TARGETING_MATCH")
    assert told["metadata"] == told["flagMetadata"]
    assert told["metadata"]["flagSetId"] == "production"


@pytest.mark.parametrize(
    ("method", "key", "value"),
    [
        ("ResolveBoolean", "yes", "true"),
        ("ResolveString", "text", '"x"'),
        ("ResolveInt", "whole", "3"),
        ("ResolveFloat", "point", "0.5"),
        ("ResolveFloat", "whole", "3.0"),
        ("ResolveNumber", "whole", "3"),
        ("ResolveNumber", "point", "0.5"),
        ("ResolveObject", "tree", '{"a":[1]}'),
    ],
)
def test_each_type_is_asked_for_by_its_method(typed: Plane, method: str, key: str, value: str) -> None:
    answer = ask(typed, f"{V1}/{method}", {"flagKey": key, "context": {}})

    assert answer.status == 200
    assert answer.body.startswith(b'{"value":' + value.encode() + b",")


@pytest.mark.parametrize(
    ("method", "key"),
    [
        *(("ResolveBoolean", key) for key in ("text", "whole", "tree")),
        *(("ResolveString", key) for key in ("yes", "whole")),
        *(("ResolveInt", key) for key in ("yes", "point", "text")),
        *(("ResolveFloat", key) for key in ("yes", "text")),
        *(("ResolveObject", key) for key in ("yes", "text")),
    ],
)
def test_another_type_is_an_invalid_argument(typed: Plane, method: str, key: str) -> None:
    answer = ask(typed, f"{V1}/{method}", {"flagKey": key, "context": {}})

    assert (answer.status, answer.json["code"]) == (400, "invalid_argument")
    assert "another type than" in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("ResolveString", {"flagKey": "nobody"}, 404, "not_found"),
        ("ResolveString", {"flagKey": "broken"}, 500, "data_loss"),
        ("ResolveString", {}, 400, "invalid_argument"),
        ("ResolveString", {"flagKey": 5}, 400, "invalid_argument"),
        ("ResolveString", {"flagKey": "text", "context": {"targetingKey": 5}}, 400, "invalid_argument"),
        ("ResolveString", [], 400, "invalid_argument"),
        ("ResolveAll", {}, 404, "unimplemented"),
        ("a/ResolveAny", {}, 404, "unimplemented"),
        ("ResolveString", {"flagKey": "x" * (1 << 17)}, 413, "resource_exhausted"),
    ],
)
def test_a_refusal_is_in_words_of_connect(typed: Plane, path: str, body: object, status: int, code: str) -> None:
    answer = ask(typed, f"{V1}/{path}", body)

    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["message"]
    assert answer.headers["content-type"] == "application/json"


def test_a_stranger_is_refused_in_the_same_words(typed: Plane) -> None:
    nobody = typed.request("POST", f"{V2}/ResolveString", b"{}", token=None)
    by_key = typed.request("POST", f"{V2}/ResolveString", b'{"flagKey":"text"}', token=None, X_API_Key=typed.token)

    assert nobody.status == 401
    assert (nobody.json["code"], nobody.headers["www-authenticate"]) == ("unauthenticated", 'Bearer realm="throwbar"')
    assert by_key.status == 200


def test_what_is_no_json_is_refused_by_its_type(typed: Plane) -> None:
    answer = typed.request("POST", f"{V1}/ResolveString", b"\x0a\x04text", Content_Type="application/proto")

    assert (answer.status, answer.json["message"]) == (415, "send JSON: there is no protobuf here")
