"""What a service is answered for features, and how the definition of them comes into force."""

import asyncio
import json

import pytest
from openfeature import api
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus

import throwbar
from tests.sdk.fake_control_plane import CONTRACT, a_definition, a_document, a_feature, a_flag, a_share
from tests.sdk.open_feature import Heard, a_context, nothing_left_of_it
from throwbar.decision import bucket
from throwbar.openfeature_provider import ThrowbarProvider
from throwbar.testing import ControlPlane

TARGETED = {"if": [{"==": [{"var": "tenant"}, "acme"]}, "on", None]}
FEATURES = {
    "banner": a_feature(),
    "new-ui": a_feature(targeting=TARGETED),
    "split": a_feature(targeting={"fractional": [["on", 50], ["off", 50]]}),
    "limit": a_feature({"low": 1, "high": 10}, "low"),
    "rate": a_feature({"low": 1, "high": 2.5}, "low"),
    "greeting": a_feature({"en": "hello", "de": "hallo"}, "en"),
    "theme": a_feature({"dark": {"colour": "black", "sizes": [1, 2]}}, "dark"),
}
SETTINGS = {"poll_interval": 3600, "report_interval": 3600}


@pytest.fixture(autouse=True)
def _alone():
    with nothing_left_of_it():
        yield


@pytest.fixture
def flags(client, server):
    server.document = a_document(flags={"orders": a_flag(), "banner": {"kind": "feature"}})
    server.definition = a_definition(features=FEATURES)
    api.set_provider_and_wait(ThrowbarProvider(client))
    return api.get_client()


def publish(client, server, version, features, **changes):
    """A new version of everything, and the turns in which it arrives."""
    server.document = a_document(version, flags=server.document["flags"])
    server.definition = a_definition(version, features, **changes)
    client.flush()


def a_client(server, **changes):
    return throwbar.Client("http://throwbar.test", "token", transport=server, **SETTINGS | changes)


@pytest.mark.parametrize(
    ("ask", "flag", "default", "value"),
    [
        ("boolean", "banner", True, False),
        ("integer", "limit", 5, 1),
        ("float", "rate", 5.0, 1.0),
        ("string", "greeting", "hi", "hello"),
        ("object", "theme", {}, {"colour": "black", "sizes": [1, 2]}),
    ],
)
def test_every_type_is_answered_with_the_value_of_the_variant(flags, ask, flag, default, value):
    details = getattr(flags, f"get_{ask}_details")(flag, default, a_context())

    assert (details.value, type(details.value), details.variant) == (
        value,
        type(value),
        FEATURES[flag]["defaultVariant"],
    )
    assert (details.reason, details.error_code) == (Reason.STATIC, None)
    assert details.flag_metadata == {"flagSetId": "test", "version": "1", "kind": "feature"}


def test_what_a_caller_does_to_an_object_the_next_one_does_not_get(flags):
    flags.get_object_value("theme", {})["sizes"].append(3)
    flags.get_object_value("theme", {})["colour"] = "white"

    assert flags.get_object_value("theme", {}) == {"colour": "black", "sizes": [1, 2]}


@pytest.mark.parametrize(
    ("ask", "flag", "default"),
    [
        ("boolean", "limit", True),
        ("integer", "banner", 5),
        ("float", "banner", 5.0),
        ("float", "greeting", 5.0),
        ("string", "theme", "x"),
        ("object", "greeting", {}),
    ],
)
def test_another_type_than_the_feature_has_is_a_mismatch(flags, ask, flag, default):
    details = getattr(flags, f"get_{ask}_details")(flag, default, a_context())

    assert (details.value, details.error_code) == (default, ErrorCode.TYPE_MISMATCH)


def test_targeting_is_evaluated_with_the_context(flags):
    hit = flags.get_boolean_details("new-ui", False, a_context(tenant="acme"))
    miss = flags.get_boolean_details("new-ui", True, a_context(tenant="other"))

    assert (hit.value, hit.variant, hit.reason) == (True, "on", Reason.TARGETING_MATCH)
    assert (miss.value, miss.variant, miss.reason) == (False, "off", Reason.DEFAULT)


def test_the_golden_feature_is_evaluated_and_never_decided(client, server):
    golden = json.loads((CONTRACT / "features.json").read_text())
    server.document = a_document(flags={"new-checkout": golden["in_the_snapshot"]})
    server.definition = a_definition(features={"new-checkout": golden["published"]})
    api.set_provider_and_wait(ThrowbarProvider(client))

    def asked(key, **attributes):
        return api.get_client().get_boolean_value("new-checkout", False, a_context(key, **attributes))

    keys = [f"session-{number}" for number in range(200)]
    assert all(asked(key, tier="pro") for key in keys)
    assert [asked(key, tier="free") for key in keys] == [bucket("new-checkout", key) < 5_000 for key in keys]
    assert client.migration("new-checkout").decide("default", key="k").reason == "flag_missing"


def test_a_split_places_keys_as_decide_places_them(flags):
    keys = [f"s{number}" for number in range(200)]

    on = [flags.get_boolean_value("split", False, a_context(key)) for key in keys]

    assert on == [bucket("split", key) < 50_000 for key in keys]


def test_targeting_that_cannot_be_evaluated_is_an_error_with_the_default(flags, client, server):
    publish(client, server, 2, {"odd": a_feature(targeting={"%": [1, {"var": "age"}]}), "none": a_feature(default="x")})

    of_context = flags.get_boolean_details("odd", True, a_context(age=0))
    of_variant = flags.get_boolean_details("none", True, a_context())

    assert (of_context.value, of_context.error_code) == (True, ErrorCode.GENERAL)
    assert of_context.error_message == "the targeting of odd cannot be evaluated with this context: ZeroDivisionError"
    assert (of_variant.value, of_variant.error_code) == (True, ErrorCode.GENERAL)


def test_coroutines_are_answered_alike(flags):
    assert asyncio.run(flags.get_boolean_value_async("new-ui", False, a_context(tenant="acme"))) is True


def test_a_feature_that_moves_is_decided_and_valued(flags, client, server):
    server.document = a_document(
        2, flags={"new-ui": a_flag(baseline="off", candidate="on", operations=a_share(100_000))}
    )
    server.definition = a_definition(2, {"new-ui": a_feature()})
    client.flush()

    details = flags.get_boolean_details("new-ui", False, a_context())

    assert (details.value, details.variant, details.reason) == (True, "on", Reason.SPLIT)
    assert details.flag_metadata["reason"] == "share"
    assert flags.get_string_details("new-ui", "x", a_context()).error_code is ErrorCode.TYPE_MISMATCH


def test_migrations_of_the_definition_are_left_to_decide(flags, client, server):
    migration = a_feature({"old": "old", "new": "new"}, "new", metadata={"kind": "migration"})
    publish(client, server, 2, {"orders": migration, "gone": migration})

    assert flags.get_string_details("orders", "x", a_context("s1")).flag_metadata["kind"] == "migration"
    assert flags.get_string_details("gone", "x", a_context()).error_code is ErrorCode.FLAG_NOT_FOUND


def test_a_new_version_is_asked_for_once_the_snapshot_moves(flags, client, server):
    client.flush()
    client.flush()
    assert len(server.asked_for_features) == 1

    publish(client, server, 2, {"banner": a_feature(default="on")})
    client.flush()

    assert flags.get_boolean_value("banner", False, a_context()) is True
    assert [asked.get("If-None-Match") for asked in server.asked_for_features] == [None, '"s1.1"']
    assert server.asked_for_features[0]["Authorization"] == "Bearer token"


def test_a_replica_that_lags_behind_is_asked_again(flags, client, server):
    server.document = a_document(2, flags=server.document["flags"])
    client.flush()
    assert flags.get_boolean_value("banner", True, a_context()) is False
    server.definition = a_definition(2, {"banner": a_feature(default="on")})

    past_the_pause(api.get_client().provider)
    client.flush()

    assert flags.get_boolean_value("banner", False, a_context()) is True


def past_the_pause(provider):
    provider._serving.features._due = 0.0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html>", "the definition is not JSON"),
        (b"[]", "the definition is not an object"),
        (b'{"flags": {}, "metadata": {}}', "throwbar is not an object"),
        (json.dumps(a_definition(2, bucketing=1) | {"throwbar": {}}).encode(), "throwbar.source is not a string"),
        (
            json.dumps(
                a_definition(2) | {"throwbar": {"source": "s1", "version": 2, "bucketing": "flagd-v2"}}
            ).encode(),
            "keys are placed by flagd-v3",
        ),
        (json.dumps(a_definition(2, {"banner": {"state": "ENABLED"}})).encode(), "flagd cannot read the features"),
        (json.dumps(a_definition(2, {"banner": a_feature(comment="x")})).encode(), "flagd cannot read the features"),
        (json.dumps(a_definition(2, {"banner": 7})).encode(), "flagd cannot read the features"),
        (b"[" * 100_000, "the definition is not JSON"),
    ],
)
def test_a_malformed_definition_replaces_nothing(flags, client, server, caplog, body, sentence):
    server.document = a_document(2, flags=server.document["flags"])
    server.definition_body = body

    client.flush()

    assert sentence in caplog.text
    assert flags.get_boolean_value("banner", True, a_context()) is False
    server.definition_body = None
    publish(client, server, 3, {"banner": a_feature(default="on")})
    past_the_pause(api.get_client().provider)
    client.flush()
    assert flags.get_boolean_value("banner", False, a_context()) is True


def test_an_older_definition_replaces_nothing(flags, client, server, caplog):
    publish(client, server, 5, {"banner": a_feature(default="on")})
    server.document = a_document(6, flags=server.document["flags"])
    server.definition = a_definition(4, {"banner": a_feature(default="off")})

    client.flush()

    assert "version 4 is older than 5" in caplog.text
    assert flags.get_boolean_value("banner", False, a_context()) is True


def test_a_restored_control_plane_is_obeyed_though_its_versions_are_lower(flags, client, server):
    publish(client, server, 5, {"banner": a_feature(default="on")})
    server.document = a_document(1, source="s2", flags=server.document["flags"])
    server.definition = a_definition(1, {"banner": a_feature(default="off")}, source="s2")

    client.flush()

    assert flags.get_boolean_value("banner", True, a_context()) is False


def test_a_service_starts_from_the_features_that_an_earlier_process_kept(server, tmp_path):
    path = tmp_path / "backup.json"
    server.definition = a_definition(features=FEATURES)
    with a_client(server, backup_file=path) as client:
        api.set_provider_and_wait(ThrowbarProvider(client))
    server.down = ConnectionRefusedError("nobody there")
    with a_client(server, backup_file=path) as client:
        api.set_provider_and_wait(ThrowbarProvider(client))

        assert api.get_client().get_boolean_value("new-ui", False, a_context(tenant="acme")) is True

    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.features.json", "backup.json"]
    assert (tmp_path / "backup.features.json").stat().st_mode & 0o077 == 0


def test_a_spoilt_backup_is_said_and_passed_over(server, tmp_path, caplog):
    server.definition = a_definition(features=FEATURES)
    (tmp_path / "backup.features.json").write_text("{")
    with a_client(server, backup_file=tmp_path / "backup.json") as client:
        api.set_provider_and_wait(ThrowbarProvider(client))

        assert api.get_client().get_boolean_value("banner", True, a_context()) is False

    assert "the backup file of the features: it was not read" in caplog.text


def test_the_default_backup_lies_beside_that_of_the_snapshot(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server.definition = a_definition(features=FEATURES)
    with a_client(server) as client:
        api.set_provider_and_wait(ThrowbarProvider(client))

    names = sorted(file.name for file in (tmp_path / "throwbar").iterdir())
    assert [name[32:] for name in names] == [".features.json", ".json"]


def test_handlers_hear_which_features_are_told_anew(flags, client, server):
    heard = Heard()
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    client.flush()

    publish(client, server, 2, FEATURES | {"banner": a_feature(default="on"), "fresh": a_feature()})

    event, details = heard.next()
    assert event is ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
    assert details.flags_changed == ["banner", "fresh"]


def test_features_that_do_not_come_for_long_are_stale_and_then_ready(flags, client, server):
    heard = Heard()
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    server.status["/flagd"] = 503
    server.document = a_document(2, flags=server.document["flags"])
    for _ in range(4):
        past_the_pause(api.get_client().provider)
        client.flush()

    event, details = heard.next()
    assert (event, details.message) == (ProviderEvent.PROVIDER_STALE, "the features: answered with status 503")
    assert api.get_client().get_provider_status() is ProviderStatus.STALE
    assert flags.get_boolean_value("banner", True, a_context()) is False

    server.status.clear()
    publish(client, server, 3, FEATURES)
    past_the_pause(api.get_client().provider)
    client.flush()
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY


def test_features_that_never_came_are_an_error_and_migrations_are_answered(client, server):
    server.status["/flagd"] = 500
    heard = Heard()
    api.set_provider_and_wait(ThrowbarProvider(client))
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    for _ in range(4):
        past_the_pause(api.get_client().provider)
        client.flush()

    event, details = heard.next()
    assert (event, details.error_code) == (ProviderEvent.PROVIDER_ERROR, ErrorCode.GENERAL)
    assert api.get_client().get_string_details("orders", "x", a_context("s1")).error_code is None
    assert api.get_client().get_boolean_details("banner", True, a_context()).error_code is ErrorCode.FLAG_NOT_FOUND


def test_hooks_hear_of_evaluations_and_of_their_errors(server):
    class Told(throwbar.hooks.Hook):
        def __init__(self):
            self.told = []

        def evaluated(self, evaluation, key):
            self.told.append((evaluation, key))

    hook = Told()
    server.definition = a_definition(features=FEATURES)
    with a_client(server, backup_file=False, hooks=[hook]) as client:
        api.set_provider_and_wait(ThrowbarProvider(client))
        asked = api.get_client()
        asked.get_boolean_value("new-ui", False, a_context(tenant="acme"))
        asked.get_string_value("new-ui", "x", a_context(None))

    well, badly = hook.told
    assert well == (("new-ui", "on", "TARGETING_MATCH", "test", "1", None, ""), "s1")
    assert badly[0][:6] == ("new-ui", None, "ERROR", "test", "1", "TYPE_MISMATCH")
    assert badly[0].message
    assert badly[1] is None


def test_a_control_plane_without_features_is_no_trouble():
    plane = ControlPlane()
    plane.set("orders", read=100)
    with a_client(plane, backup_file=False) as client:
        api.set_provider_and_wait(ThrowbarProvider(client))

        assert api.get_client().get_string_value("orders", "x", a_context()) == "candidate"
        assert api.get_client().get_boolean_details("banner", True).error_code is ErrorCode.FLAG_NOT_FOUND
        assert api.get_client().provider._serving.features.trouble.failures == 0
