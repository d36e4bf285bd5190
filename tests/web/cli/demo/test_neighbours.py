"""Do the flags beside the bridge's stand where people left them, with a helpdesk that calls them?"""

import json
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from web.cli.demo import helpdesk
from web.cli.demo.control import ControlPlane, ControlPlaneError
from web.cli.demo.neighbours import NEIGHBOURS, PROCESSES, SERVICE, neighbours
from web.cli.demo.people import ANN, BEN, invite, signed_in
from web.cli.demo.server import running_server
from web.cli.demo.tempo import HEADLESS

PATIENCE = 60.0  # seconds; only something broken takes them

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("demo"), HEADLESS.environment()) as server:
        yield server


@pytest.fixture(scope="module")
def people(server):
    return invite(server)


@pytest.fixture(scope="module")
def beside(server, people):
    with neighbours(server, people, HEADLESS):
        yield people.ann


def eventually(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def reporting(server, path: str) -> list[dict]:
    request = urllib.request.Request(
        f"{server.url}/api/v1/environments/production{path}", headers={"Authorization": f"Bearer {server.admin_token}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["items"]


def test_each_flag_is_in_another_state(beside):
    states = {each.flag["key"]: beside.flag(each.flag["key"]) for each in NEIGHBOURS}

    assert {key: (flag["enabled"], flag["rollout"]["state"]) for key, flag in states.items()} == {
        helpdesk.SEARCH: (True, "running"),
        helpdesk.INVOICES: (True, "running"),
        helpdesk.FINGERPRINTS: (True, "paused"),
        helpdesk.REPLIES: (True, "running"),
        helpdesk.ROUTING: (False, "idle"),
    }
    assert states[helpdesk.SEARCH]["operations"]["query"]["percent"] == 25
    assert states[helpdesk.INVOICES]["operations"]["total"]["mode"] == "shadow"


def test_the_audit_names_the_people_who_did_it(beside):
    entries = beside.audit(helpdesk.FINGERPRINTS)

    assert [(entry["actor"]["kind"], entry["actor"]["name"]) for entry in entries] == [
        ("person", ANN),
        ("person", ANN),
        ("person", BEN),
    ]


def test_its_processes_call_every_operation_and_no_call_is_in_vain(server, beside):
    def operations() -> list[dict]:
        return [
            operation
            for each in NEIGHBOURS
            for operation in beside.health(each.flag["key"])["operations"].values()
            if any(n for n in operation["series"]["baseline"]["calls"] if n)
        ]

    eventually(lambda: len(operations()) == 6)
    eventually(
        lambda: len([each for each in reporting(server, "/instances") if each["service"] == SERVICE]) == PROCESSES
    )


def test_sums_that_differ_are_found_in_the_shadow(beside):
    def found() -> bool:
        routing = beside.health(helpdesk.INVOICES)["operations"]["total"]["routing"]
        return bool(routing["mismatch_rate"])

    eventually(found)


def test_no_freeze_holds_the_bridge_while_the_demo_runs(server, beside):
    freezes = reporting(server, "/freezes")

    assert len(freezes) == 1
    assert datetime.fromisoformat(freezes[0]["starts_at"]) > datetime.now(UTC)


def test_a_link_signs_in_once(server, people):
    secret = ControlPlane(server.url, {"Authorization": f"Bearer {server.admin_token}"}).invite(
        "eve@example.org", "viewer"
    )

    assert signed_in(server.url, secret)["Cookie"].startswith("throwbar_session=")
    with pytest.raises(ControlPlaneError, match="nobody could sign in"):
        signed_in(server.url, secret)
