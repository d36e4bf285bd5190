"""What OpenFeature's handlers hear of the provider's life."""

import json

import pytest
from openfeature import api
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.provider import ProviderStatus

import throwbar
from tests.sdk.fake_control_plane import a_document, a_flag
from tests.sdk.open_feature import Heard, a_context, nothing_left_of_it
from throwbar.openfeature_provider import ThrowbarProvider

STALE_SECONDS = 3 * 3600 + 1


def listen(client):
    heard = Heard()
    api.set_provider_and_wait(ThrowbarProvider(client))
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    client.flush()  # the turn in which nothing is said
    return heard


@pytest.fixture(autouse=True)
def _alone():
    with nothing_left_of_it():
        yield


@pytest.fixture
def heard(client):
    return listen(client)


def status():
    return api.get_client().get_provider_status()


def test_a_change_names_the_flags_that_are_told_anew(heard, client, server):
    server.document = a_document(2, flags={"orders": a_flag(), "pay": a_flag(), "gone": a_flag()})
    client.flush()
    assert heard.next()[1].flags_changed == ["gone", "pay"]

    server.document = a_document(3, flags={"orders": a_flag(enabled=False), "pay": a_flag()})
    client.flush()
    event, details = heard.next()

    assert event is ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
    assert (details.provider_name, details.flags_changed) == ("throwbar", ["gone", "orders"])
    assert details.metadata == {"version": "3"}


def test_a_turn_without_news_says_nothing(heard, client):
    client.flush()
    client.flush()

    assert heard.nothing_more()


def test_a_local_override_is_a_change(server, tmp_path, monkeypatch):
    path = tmp_path / "override.json"
    monkeypatch.setenv("THROWBAR_OVERRIDE_FILE", str(path))
    settings = {"backup_file": False, "transport": server, "poll_interval": 3600, "report_interval": 3600}
    with throwbar.Client("http://throwbar.test", "t", **settings) as client:
        heard = listen(client)
        path.write_text(json.dumps({"orders": "candidate"}))
        client.flush()

        assert heard.next()[1].flags_changed == ["orders"]
        assert api.get_client().get_string_value("orders", "old", a_context()) == "new"


def test_a_snapshot_that_nobody_confirms_is_stale_until_somebody_does(heard, client, server, clock):
    server.down = ConnectionRefusedError("nobody there")
    client._exchange.poll()
    clock.tick(STALE_SECONDS)
    client.flush()

    event, details = heard.next()
    assert event is ProviderEvent.PROVIDER_STALE
    assert "nobody there" in details.message
    assert status() is ProviderStatus.STALE
    assert api.get_client().get_string_details("orders", "old", a_context("s1")).error_code is None

    server.down = None
    client._exchange.poll()
    client.flush()
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    assert status() is ProviderStatus.READY


def test_a_service_that_starts_from_its_backup_is_stale(server, tmp_path):
    settings = {"backup_file": tmp_path / "backup.json", "transport": server, "poll_interval": 3600}
    with throwbar.Client("http://throwbar.test", "t", **settings) as client:
        assert client.wait_ready(60)
        client.flush()
    server.down = ConnectionRefusedError()
    with throwbar.Client("http://throwbar.test", "t", report_interval=3600, **settings) as client:
        heard = listen(client)
        client.flush()

        assert heard.next()[0] is ProviderEvent.PROVIDER_STALE
        assert status() is ProviderStatus.STALE


def test_a_provider_that_came_up_without_a_snapshot_is_ready_when_there_is_one(server, clock):
    server.down = ConnectionRefusedError("nobody there")
    settings = {"backup_file": False, "transport": server, "poll_interval": 0.01, "report_interval": 0.01}
    # By a clock that runs, a snapshot would be stale whenever three such short intervals pass without a poll.
    with throwbar.Client("http://throwbar.test", "t", wall_clock=clock, **settings) as client:
        heard = Heard()
        with pytest.raises(ProviderNotReadyError):
            api.set_provider_and_wait(ThrowbarProvider(client, ready_within=0.01))
        event, details = heard.next()
        assert (event, details.error_code) == (ProviderEvent.PROVIDER_ERROR, ErrorCode.PROVIDER_NOT_READY)
        assert status() is ProviderStatus.ERROR

        server.down = None

        assert {heard.next()[0], heard.next()[0]} == {
            ProviderEvent.PROVIDER_READY,
            ProviderEvent.PROVIDER_CONFIGURATION_CHANGED,
        }
        assert status() is ProviderStatus.READY


def test_a_follower_that_fails_does_not_keep_a_rollback_away(client, server, caplog):
    client.wait_ready(60)
    client.engine.follow(lambda _get: 1 / 0)
    server.document = a_document(2, flags={"orders": a_flag(rolled_back=True)})

    assert client.flush()

    assert client.migration("orders").decide("read", key="k").reason == "rolled_back"
    assert "follower" in caplog.text
