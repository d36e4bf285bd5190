"""Do the official clients of other makes, unmodified, obey what is set here? Over real HTTP, each key like ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider import AbstractProvider

from controlplane.domain.decision import decide
from controlplane.domain.flag import Flag, Side
from controlplane.usecases.flags import create_flag
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import Plane, wait_until

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
