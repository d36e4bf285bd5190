import json
import logging
import threading

import pytest

import throwbar
from tests.sdk.fake_control_plane import Clock, a_document, a_flag, a_share


def a_client(server, **changes):
    settings = {"poll_interval": 3600, "report_interval": 3600, "backup_file": False, "transport": server}
    return throwbar.Client("http://throwbar.test", "token", service="shop", **settings | changes)


def test_making_a_client_asks_nobody_and_starts_nothing(server):
    before = set(threading.enumerate())  # of which some may end meanwhile
    with a_client(server):
        assert set(threading.enumerate()) <= before
        assert server.requests == []


def test_the_first_decision_starts_the_conversation(client, server):
    assert client.migration("orders", baseline="old").decide("read", key="k").reason == "not_ready"

    assert client.wait_ready(60)
    assert client.migration("orders").decide("read", key="k").reason == "share"


def test_a_poll_says_who_asks(client, server):
    client.wait_ready(60)

    _, headers, _ = server.requests[0]

    assert headers["Authorization"] == "Bearer token"
    assert headers["Throwbar-Service"] == "shop"
    assert headers["Throwbar-Instance"] == client.status().instance


def test_an_unchanged_snapshot_is_asked_for_by_its_tag(server):
    with a_client(server, poll_interval=0.01) as client:
        client.wait_ready(60)
        client._poller.wait_until(lambda: len(server.asked("GET")) > 3, 60)

    tags = [headers.get("If-None-Match") for _, headers, _ in server.asked("GET")]
    assert tags[0] is None
    assert set(tags[1:]) == {'"s1.1"'}


def test_the_answer_to_a_report_brings_a_newer_snapshot_at_once(client, server):
    client.wait_ready(60)
    server.document = a_document(2, flags={"orders": a_flag(enabled=False)})

    assert client.flush()

    assert client.status().version == 2
    assert client.migration("orders").decide("read", key="k").reason == "disabled"


def test_a_replica_that_has_not_heard_of_the_flip_yet_is_asked_again_soon(server):
    with a_client(server, poll_interval=3600.0) as client:
        client.wait_ready(60)
        server.announced = 2
        client.flush()
        assert client.status().version == 1

        server.document = a_document(2)

        assert client._poller.wait_until(lambda: client.status().version == 2, 60)


def test_a_late_snapshot_is_not_applied(client, server):
    server.document = a_document(5)
    client.wait_ready(60)
    server.document = a_document(4, flags={"orders": a_flag(operations=a_share(100_000))})

    client._exchange.poll()

    assert client.status().version == 5
    assert "older than 5" in client.status().last_error


def test_a_restored_control_plane_is_obeyed_though_its_versions_are_lower(client, server):
    server.document = a_document(5)
    client.wait_ready(60)
    server.document = a_document(1, source="s2")

    assert client.flush()

    assert (client.status().source, client.status().version) == ("s2", 1)


@pytest.mark.parametrize("body", [b"<html>", b"{}", json.dumps(a_document(9) | {"schema": 2}).encode()])
def test_a_broken_snapshot_leaves_the_old_one_in_force(client, server, body):
    client.wait_ready(60)
    server.body = body
    server.document = a_document(9)

    client.flush()

    status = client.status()
    assert (status.ready, status.version) == (True, 1)
    assert "not applied" in status.last_error


def test_an_unlisted_flag_goes_to_the_baseline_as_named_in_code(client):
    client.wait_ready(60)

    decision = client.migration("nobody", baseline="pool").decide("read", key="k")

    assert (decision.backend, decision.candidate, decision.reason) == ("pool", False, "flag_missing")


def test_an_empty_report_says_i_am_here(client, server):
    client.wait_ready(60)
    client.flush()

    report = server.reports[-1]

    assert report["cells"] == []
    assert (report["service"], report["instance"], report["version"]) == ("shop", client.status().instance, 1)
    assert [report["sequence"] for report in server.reports] == list(range(1, len(server.reports) + 1))


def test_a_report_that_was_not_acknowledged_is_sent_again_unchanged(client, server, clock):
    client.wait_ready(60)
    client.flush()
    server.status["POST"] = 503
    with client.migration("orders").attempt("read", key="k"):
        pass
    clock.tick(30)
    assert not client.flush()
    clock.tick(30)
    assert not client.flush()
    failed = [body for _, _, body in server.asked("POST")][-2:]

    server.status.clear()
    assert client.flush()

    assert failed[0] == failed[1]
    assert json.loads(failed[0]) in server.reports
    assert sum(cell["calls"] for cell in server.cells) == 1
    sequences = [report["sequence"] for report in server.reports]
    assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_report_is_dropped_and_the_next_one_tells(client, server, clock, status):
    client.wait_ready(60)
    client.flush()
    with client.migration("orders").attempt("read", key="k"):
        pass
    clock.tick(30)
    server.status["POST"] = status
    client.flush()
    server.status.clear()

    assert client.flush()

    assert server.reports[-1]["dropped"] == {"reports": 1, "refused_cells": 1}
    assert client.status().reports_dropped == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said_once_and_is_not_fatal(client, server, caplog, status):
    client.wait_ready(60)
    server.status = {"GET": status, "POST": status}
    for _ in range(3):
        client.flush()
        client._exchange.poll()

    said = [record for record in caplog.records if "polling" in record.message]

    assert len(said) == 1
    assert "token is not accepted" in client.status().last_error
    assert client.migration("orders").decide("read", key="k").reason == "share"
    server.status.clear()
    assert client.flush()
    assert client._exchange.poll()
    assert client.status().last_error == ""


def test_without_a_control_plane_the_baseline_is_served_exactly_once(server):
    calls, error = [], ValueError("mine")
    server.down = OSError("no route")
    with a_client(server) as client:

        @client.migration("orders").route("read", candidate=lambda fail: pytest.fail("candidate"), key=str)
        def read(fail):
            calls.append(fail)
            if fail:
                raise error
            return "result"

        assert read(False) == "result"
        with pytest.raises(ValueError, match="mine") as caught:
            read(True)

        assert caught.value is error
        assert calls == [False, True]
        assert not client.wait_ready(0.05)
        client._poller.wait_until(lambda: client._exchange.polling.failures > 0, 60)
        assert "no route" in client.status().last_error


def test_calls_before_the_first_snapshot_are_reported_as_default(server, clock):
    server.down = OSError()
    with a_client(server, wall_clock=clock) as client:
        with client.migration("orders", baseline="pool").attempt("read", key="k"):
            pass
        clock.tick(30)
        client.flush()
        server.down = None
        assert client.flush()

    (cell,) = server.cells
    assert (cell["assigned_by"], cell["backend"], cell["attempt"], cell["share"]) == ("default", "pool", 0, 0)
    assert (server.reports[0]["source"], server.reports[0]["version"]) == ("", 0)


def test_closing_sends_what_there_is(server, clock):
    client = a_client(server, wall_clock=clock)
    client.wait_ready(60)
    with client.migration("orders").attempt("read", key="k"):
        pass

    client.close()

    assert sum(cell["calls"] for cell in server.cells) == 1
    with client.migration("orders").attempt("read", key="k") as attempt:
        assert attempt.decision.version == 1
    client.close()


def test_a_call_that_is_running_when_the_client_closes_is_no_evidence(server, clock):
    client = a_client(server, wall_clock=clock)
    client.wait_ready(60)
    with client.migration("orders").attempt("read", key="k"):
        client.close()

    assert server.cells == []
    assert server.reports[-1]["dropped"] == {"unfinished_calls": 1}


def test_stale_means_that_the_control_plane_was_silent_for_three_intervals(server, clock):
    with a_client(server, wall_clock=clock, poll_interval=100) as client:
        assert client.status().stale
        client.wait_ready(60)
        client.flush()
        assert not client.status().stale

        clock.tick(301)

        assert client.status().stale


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "ftp://host"},
        {"url": "host:8000"},
        {"url": ""},
        {"url": "http://"},
        {"url": "http://host:port"},
        {"url": "http://me:secret@host"},
        {"token": ""},
        {"token": "two words"},
        {"token": "a\nb"},
        {"service": ""},
        {"service": 7},
        {"service": "x" * 101},
        {"service": "a\nb"},
        {"poll_interval": 0},
        {"poll_interval": float("nan")},
        {"report_interval": "5"},
        {"backup_file": ""},
        {"backup_file": 7},
    ],
)
def test_a_malformed_argument_is_refused(arguments):
    with pytest.raises(throwbar.ConfigurationError, match=next(iter(arguments))):
        throwbar.Client(**{"url": "http://host", "token": "t"} | arguments)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "THROWBAR_URL is not set; THROWBAR_TOKEN is not set"),
        ({"THROWBAR_URL": "nonsense", "THROWBAR_TOKEN": "t"}, "THROWBAR_URL is 'nonsense'"),
        ({"THROWBAR_URL": "http://host", "THROWBAR_TOKEN": "se cret"}, "THROWBAR_TOKEN holds characters"),
        ({"THROWBAR_URL": "http://host", "THROWBAR_TOKEN": "t", "THROWBAR_SERVICE": "a\x1bb"}, "THROWBAR_SERVICE is"),
    ],
)
def test_a_malformed_environment_is_logged_once_and_serves_the_baseline(monkeypatch, caplog, environment, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    client = throwbar.Client()
    orders = client.migration("orders")
    decisions = {orders.decide("read", key=str(number)).backend for number in range(10)}

    assert decisions == {"baseline"}
    assert [said in record.message for record in caplog.records if record.levelno >= logging.WARNING] == [True]
    assert "se cret" not in caplog.text
    assert said in client.status().last_error
    assert not client.wait_ready(5)
    assert not client.flush()
    client.close()


def test_settings_come_from_the_environment_where_no_argument_is_given(monkeypatch, server):
    monkeypatch.setenv("THROWBAR_URL", "https://throwbar.example/base/")
    monkeypatch.setenv("THROWBAR_TOKEN", "from-outside")
    monkeypatch.setenv("THROWBAR_SERVICE", "shop")
    monkeypatch.setenv("THROWBAR_BACKUP_FILE", "off")

    with throwbar.Client(transport=server) as client:
        client.wait_ready(60)

        assert client.status().service == "shop"
        assert server.requests[0][1]["Authorization"] == "Bearer from-outside"
        assert client._settings.backup_file is False


def test_a_bug_in_the_poller_does_not_end_it(server, monkeypatch, caplog):
    with a_client(server, poll_interval=0.01, report_interval=0.01) as client:
        client.wait_ready(60)
        poll, calls = client._exchange.poll, []

        def fail_once():
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            return poll()

        monkeypatch.setattr(client._exchange, "poll", fail_once)

        assert client._poller.wait_until(lambda: len(calls) > 2, 60)
    assert "error inside the SDK's poller" in caplog.text


def test_failures_are_followed_by_longer_pauses(client):
    pauses = [client._poller._pause(5.0, failures) for failures in (0, 1, 2, 3, 50)]

    for pause, wanted in zip(pauses, (5, 5, 10, 20, 30), strict=True):
        assert 0.9 * wanted <= pause <= 1.1 * wanted
    assert client._poller._pause(60.0, 9) <= 66


def test_time_stands_still_until_the_clock_moves(server):
    clock = Clock()
    with a_client(server, wall_clock=clock) as client:
        client.wait_ready(60)
        for _ in range(5):
            with client.migration("orders").attempt("read", key="k"):
                pass
            assert client.flush()
        clock.tick(10)
        assert client.flush()

    assert [cell["calls"] for cell in server.cells] == [5]


def test_a_closed_client_answers_at_once(server):
    never_used, used = a_client(server), a_client(server)
    used.wait_ready(60)
    for client in (never_used, used):
        client.close()
        assert not client.flush(timeout=60)
        assert client.wait_ready(timeout=60) is (client is used)
