import json
import os

import pytest

import throwbar
from tests.sdk.fake_control_plane import a_document, a_flag, a_share


@pytest.fixture
def override_file(tmp_path, monkeypatch):
    path = tmp_path / "override.json"
    monkeypatch.setenv("THROWBAR_OVERRIDE_FILE", str(path))
    return path


@pytest.fixture
def orders(override_file, client: throwbar.Client):
    assert client.wait_ready(60)
    return client.migration("orders")


def write(path, overrides):
    path.write_text(json.dumps(overrides))
    stamp = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(stamp, stamp))


def test_the_file_is_obeyed_when_it_appears_changes_and_goes(orders, client, override_file):
    write(override_file, {"orders/read": "candidate"})
    client.flush()
    assert orders.decide("read", key="k")[1:3] == (True, "override")
    assert client.status().overrides == {"orders/read": "candidate"}

    write(override_file, {"orders": "baseline"})
    client.flush()
    assert orders.decide("read", key="k")[1:3] == (False, "override")

    override_file.unlink()
    client.flush()
    assert orders.decide("read", key="k").reason == "share"


def test_overridden_calls_are_reported_as_such(orders, client, server, clock, override_file):
    write(override_file, {"orders": "candidate"})
    client.flush()
    with orders.attempt("read", key="k"):
        pass
    clock.tick(30)
    client.flush()

    assert [cell["assigned_by"] for cell in server.cells] == ["override"]


def test_a_rollback_beats_an_override_to_the_candidate(orders, client, server, override_file):
    write(override_file, {"orders": "candidate"})
    server.document = a_document(2, flags={"orders": a_flag(rolled_back=True, operations=a_share(0))})
    client.flush()

    assert orders.decide("read", key="k")[1:3] == (False, "rolled_back")


@pytest.mark.parametrize("content", ["", "[]", '{"orders": "sideways"}', '{"orders": 1}', '{"orders": []}'])
def test_a_file_that_cannot_be_read_changes_nothing(orders, client, override_file, content):
    write(override_file, {"orders": "candidate"})
    client.flush()

    override_file.write_text(content)
    client.flush()

    assert orders.decide("read", key="k").reason == "override"
    assert "override" in client.status().last_error
