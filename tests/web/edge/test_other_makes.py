"""Do the official clients of other makes, unmodified, obey what is set here? Over real HTTP, each key like ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from openfeature.provider import AbstractProvider

from controlplane.domain.decision import decide
from controlplane.domain.flag import Flag, Side
from controlplane.domain.flag_set import FlagSet
from controlplane.usecases.flags import create_flag
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import PATIENCE, Plane, serving, wait_until

KEYS = [f"session-{number}" for number in range(200)]
RULES = [{"attribute": "tenant", "operator": "starts_with", "values": ["ac", "z"], "serve": "candidate"}]
OPERATIONS = {"simple_predict": {"percent": 30}, "echo": {"percent": 0}, "train": {"percent": 100}}


@contextmanager
def a_client(provider: AbstractProvider) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(provider, "other-makes")
    try:
        yield api.get_client("other-makes")
    finally:
        api.clear_providers()


@pytest.fixture
def flag(plane: Plane) -> Flag:
    document = a_flag_document(operations=OPERATIONS, rules=RULES, plan=None)
    made = create_flag(plane.store, "production", document, a_cause())
    wait_until(lambda: "dspex-bridge" in plane.poll().json["flags"])
    return made


def assert_it_obeys(client: OpenFeatureClient, flag: Flag) -> None:
    """Every key of every operation, listed or not, with and without an attribute that a rule knows."""
    wrong = []
    for operation in (*OPERATIONS, "unheard of"):
        for key in KEYS:
            for attributes in ({}, {"tenant": "acme"}):
                context = EvaluationContext(key, {"operation": operation, **attributes})
                theirs = client.get_string_value(flag.key, "the code's own default", context)
                candidate = decide(flag, operation, key, attributes).side is Side.CANDIDATE
                if theirs != (flag.candidate if candidate else flag.baseline):
                    wrong.append((operation, key, attributes, theirs))
    assert wrong == []


def test_flagd_in_the_process_reads_the_definition_and_draws_the_same_keys(plane: Plane, flag: Flag, tmp_path) -> None:
    file = tmp_path / "flags.json"
    file.write_bytes(plane.request("GET", "/flagd/v0/flags.json").body)
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file))

    with a_client(provider) as client:
        assert_it_obeys(client, flag)
        told = client.get_string_details(flag.key, "", EvaluationContext("k", {"operation": "train"}))

    assert (told.value, told.variant, told.flag_metadata["flagSetId"]) == ("snakepit", "snakepit", "production")


def by_ofrep(plane: Plane, token: str = "") -> OFREPProvider:
    headers = {"Authorization": f"Bearer {token or plane.token}"}
    return OFREPProvider(f"http://127.0.0.1:{plane.port}", headers_factory=lambda: headers, timeout=PATIENCE)


def test_ofrep_asks_the_server_and_gets_the_same_keys(plane: Plane, flag: Flag) -> None:
    with a_client(by_ofrep(plane)) as client:
        assert_it_obeys(client, flag)
        drawn = client.get_string_details(flag.key, "", EvaluationContext("k", {"operation": "train"}))
        nobody = client.get_string_details(flag.key, "")

    assert (drawn.variant, drawn.reason, drawn.error_code) == ("snakepit", Reason.TARGETING_MATCH, None)
    assert (nobody.value, nobody.reason, nobody.error_code) == ("python_pool_v2", Reason.DEFAULT, None)
    assert drawn.flag_metadata["flagSetId"] == "production"


def test_ofrep_understands_every_refusal(plane: Plane, flag: Flag) -> None:
    with a_client(by_ofrep(plane)) as client:
        missing = client.get_string_details("unheard-of", "mine")
        strange = client.get_string_details("a/b", "mine")
        number = client.get_string_details(flag.key, "mine", EvaluationContext(None, {"targetingKey": 42}))
        wrong = client.get_boolean_details(flag.key, False)
    with a_client(by_ofrep(plane, "tb_sdk_unknown")) as client:
        stranger = client.get_string_details(flag.key, "mine")

    assert {each.value for each in (missing, strange, number, stranger)} == {"mine"}
    assert missing.error_code is strange.error_code is ErrorCode.FLAG_NOT_FOUND
    assert (missing.error_message or "").startswith("there is no flag 'unheard-of'")
    assert (number.error_code, wrong.error_code) == (ErrorCode.INVALID_CONTEXT, ErrorCode.TYPE_MISMATCH)
    assert (stranger.error_code, stranger.error_message) == (ErrorCode.GENERAL, "unauthorized")


def test_ofrep_gets_values_of_every_type(store, sdk_token, clock) -> None:
    """Of a definition by hand: a migration is a text."""
    values = {"yes": False, "text": "", "whole": 2**53 - 1, "point": 10.0, "tree": {"a": [1]}}
    flags = {
        name: {"state": "ENABLED", "variants": {"v": value}, "defaultVariant": "v"} for name, value in values.items()
    }
    flag_set = FlagSet("production", "s", 1, {"metadata": {}, "flags": flags}, {})
    with (
        serving(store, clock, sdk_token, flag_set=lambda environment: flag_set) as plane,
        a_client(by_ofrep(plane)) as client,
    ):
        found = {
            "yes": client.get_boolean_value("yes", True),
            "text": client.get_string_value("text", "mine"),
            "whole": client.get_integer_value("whole", 1),
            "point": client.get_float_value("point", 1.0),
            "tree": client.get_object_value("tree", {}),
        }

    assert found == values
