import json
import sys

import pytest

from tests.sdk.fake_control_plane import CONTRACT
from throwbar.sites import AGAIN_SECONDS, SITES, Sites, short

GOLDEN = json.loads((CONTRACT / "report_sites.json").read_text())
PROGRAM = """\
def register(client):
    bridge = client.migration("dspex-bridge")
    bridge.operation("simple_predict")

    @bridge.route("echo", candidate=lambda: None)
    def echo():
        return None
    for _ in range(3):
        with bridge.attempt("warm_up"):
            pass
"""


@pytest.fixture
def register(tmp_path, monkeypatch):
    """A module of a service, as an import would find it."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    names = {"__name__": "app.bridge"}
    exec(compile(PROGRAM, str(tmp_path / "app" / "bridge.py"), "exec"), names)
    return names["register"]


def told(server):
    return [report["sites"] for report in server.reports if "sites" in report]


def test_the_places_that_register_operations_are_told_as_published(client, server, register):
    assert client.wait_ready(60)
    register(client)

    client.flush(60)

    assert told(server) == [GOLDEN["sites"]]


def test_they_are_told_once_and_again_when_there_are_more(client, server, register):
    assert client.wait_ready(60)
    register(client)
    client.flush(60)
    client.flush(60)
    assert len(told(server)) == 1

    client.migration("orders").decide("read", key="k")
    client.flush(60)

    (_, all_of_them) = told(server)
    assert len(all_of_them) == 4
    assert all_of_them[-1]["call"] == "decide"
    assert "test_sites.py:" in all_of_them[-1]["place"]


def test_calls_note_nothing(client):
    bridge = client.migration("orders")
    bridge.decide("read", key="a")
    before = client.engine.sites.take("s", 0.0)

    for number in range(50):
        bridge.decide("read", key=str(number))
        with bridge.attempt("read", key=str(number)):
            pass

    assert client.engine.sites.take("t", 0.0) == before


def test_another_source_and_another_hour_hear_them_again():
    sites = Sites()
    sites.note("orders", "read")

    assert sites.take("s1", 0.0)
    assert not sites.take("s1", AGAIN_SECONDS - 1)
    assert sites.take("s2", AGAIN_SECONDS - 1)
    assert sites.take("s2", 3 * AGAIN_SECONDS)
    sites.renew()
    assert sites.take("s2", 3 * AGAIN_SECONDS)


def test_names_made_up_at_run_time_do_not_fill_the_memory():
    sites = Sites()

    for number in range(SITES + 50):
        sites.note("orders", f"operation-{number}")

    assert len(sites.take("s", 0.0)) == SITES


def test_folders_above_the_code_stay_at_home(monkeypatch):
    monkeypatch.setattr(sys, "path", ["/srv/shop", "/srv"])

    assert short("/srv/shop/app/bridge.py") == "app/bridge.py"
    assert short("/opt/ann/secret/project/app/bridge.py") == "app/bridge.py"
    assert short("C:\\work\\app\\bridge.py") == "app/bridge.py"
