"""A service that knows OpenFeature only: it follows a migration on a real server, back as well, and starts without it."""

import http.client
import json

import pytest
from freezegun import freeze_time
from openfeature import api
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from tests.builders import a_feature_document, a_flag_document, a_moved_feature_document
from tests.sdk.open_feature import a_context, nothing_left_of_it
from tests.stories.world import PATIENCE, a_world, an_operation
from throwbar.openfeature_provider import ThrowbarProvider

FLAG = "dspex-bridge"
KEYS = [f"session-{number}" for number in range(100)]


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


@pytest.fixture(autouse=True)
def _alone():
    with nothing_left_of_it():
        yield


def asked(key, **attributes):
    return api.get_client().get_string_details(FLAG, "the default", a_context(key, **attributes))


def published(world):
    """What the server tells services of other makes, on flagd's own evaluator."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=PATIENCE)
    connection.request("GET", "/flagd/v0/flags.json", headers={"Authorization": f"Bearer {world.sdk}"})
    core = FlagdCore()
    core.set_flags(connection.getresponse().read().decode())
    connection.close()
    return core


def test_it_follows_a_share_and_a_rollback_and_agrees_with_services_of_other_makes(world):
    operations = {"echo": {"percent": 30}, "simple_predict": {"percent": 0}}
    world.api("POST", "/flags", a_flag_document(operations=operations, rules=[], guardrails=None, plan=None))
    with world.client() as client:
        api.set_provider_and_wait(ThrowbarProvider(client, ready_within=PATIENCE))
        client.flush(PATIENCE)  # its answer tells of a flag that the first poll was too early for
        others = published(world)
        ours = {key: asked(key, operation="echo").value for key in KEYS}

        assert set(ours.values()) == {"python_pool_v2", "snakepit"}
        assert ours == {
            key: others.resolve_string_value(FLAG, "", a_context(key, operation="echo")).value for key in KEYS
        }
        assert asked(KEYS[0], operation="simple_predict").value == "python_pool_v2"
        assert asked(KEYS[0]).error_code is ErrorCode.INVALID_CONTEXT

        assert world.api("POST", f"/flags/{FLAG}/rollout/rollback", {"reason": "a story"})[0] == 200
        client.flush(PATIENCE)

        details = asked(next(key for key in KEYS if ours[key] == "snakepit"), operation="echo")
        assert (details.value, details.reason) == ("python_pool_v2", Reason.DISABLED)
        assert details.flag_metadata["reason"] == "rolled_back"


def test_its_features_are_as_new_as_its_snapshot_and_both_outlive_the_server(world, tmp_path):
    world.api("POST", "/flags", a_flag_document(operations={"echo": {"percent": 100}}, guardrails=None, plan=None))
    with world.client(tmp_path / "backup.json") as client:
        provider = ThrowbarProvider(client, ready_within=PATIENCE)
        api.set_provider_and_wait(provider)
        client.flush(PATIENCE)
        known = provider._serving.features.in_force

        assert (known.source, known.version) == (client.status().source, client.status().version)
        assert known.environment == "production"
    world.port = 1  # where nobody listens
    with world.client(tmp_path / "backup.json") as client:
        restarted = ThrowbarProvider(client, ready_within=PATIENCE)
        api.set_provider_and_wait(restarted)

        assert asked("session-1").value == "snakepit"
        assert restarted._serving.features.in_force.version == known.version


def test_a_feature_has_the_same_value_in_the_process_by_flagd_and_by_ofrep(world):
    colours = {"blue": {"hex": "#00f"}, "gold": {"hex": "#fc0"}}
    gold = {"if": [{"in": ["beta", {"var": "groups"}]}, "gold", {"fractional": [["gold", 25], ["blue", 75]]}]}
    world.api("POST", "/flags", a_feature_document(variants=colours, default_variant="blue", targeting=gold))
    moved = a_moved_feature_document(
        key="search-v2", variants={"on": 2, "off": 1}, operations={"default": {"percent": 30}}
    )
    world.api("POST", "/flags", moved)
    with world.client() as client:
        api.set_provider_and_wait(ThrowbarProvider(client, ready_within=PATIENCE))
        client.flush(PATIENCE)
        others, asker = published(world), api.get_client()
        for key in KEYS[:25]:
            for groups in ([], ["beta"]):
                context = a_context(key, groups=groups)
                in_process = (
                    asker.get_object_value("new-checkout", {}, context),
                    asker.get_integer_value("search-v2", 0, context),
                )
                by_flagd = (
                    others.resolve_object_value("new-checkout", {}, context).value,
                    others.resolve_integer_value("search-v2", 0, context).value,
                )
                assert in_process == by_flagd
                assert in_process == tuple(by_ofrep(world, name, key, groups) for name in ("new-checkout", "search-v2"))

        assert world.api("POST", "/flags/search-v2/rollout/rollback", {"reason": "a story"})[0] == 200
        client.flush(PATIENCE)

        assert {asker.get_integer_value("search-v2", 0, a_context(key)) for key in KEYS} == {1}
        assert by_ofrep(world, "search-v2", KEYS[0], []) == 1


def test_a_feature_that_breaks_calls_is_taken_back_by_itself_for_whoever_asks(world):
    guardrails = {"min_samples": 50, "max_error_rate": 0.05}
    operations = {"echo": {"percent": 50}}
    document = a_moved_feature_document(key=FLAG, operations=operations, guardrails=guardrails, plan=None)
    assert world.api("POST", "/flags", document)[0] == 201
    with world.client() as client:
        api.set_provider_and_wait(ThrowbarProvider(client, ready_within=PATIENCE))
        operation, asker = an_operation(world, client), api.get_client()
        client.flush(PATIENCE)
        assert {asker.get_boolean_value(FLAG, False, a_context(key)) for key in KEYS} == {True, False}
        told = asker.get_boolean_details(FLAG, False, a_context(KEYS[0]))
        assert (told.flag_metadata["kind"], told.flag_metadata["operation"]) == ("feature", "echo")

        world.fails_of_ten = 10
        world.serve(operation, 600)
        world.report_and_tick(client)

        assert world.broke
        assert world.flag()["rollout"]["rolled_back"]
        assert {asker.get_boolean_value(FLAG, False, a_context(key)) for key in KEYS} == {False}
        assert {by_ofrep(world, FLAG, key, []) for key in KEYS[:5]} == {False}


def by_ofrep(world, flag, key, groups):
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=PATIENCE)
    body = json.dumps({"context": {"targetingKey": key, "groups": groups}})
    headers = {"Authorization": f"Bearer {world.sdk}", "Content-Type": "application/json"}
    connection.request("POST", f"/ofrep/v1/evaluate/flags/{flag}", body, headers)
    answer = json.load(connection.getresponse())
    connection.close()
    return answer["value"]
