"""Who only polls is known all the same: through the real edge, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases.changing import Place
from controlplane.usecases.flags import create_flag
from controlplane.usecases.instances import convergence, list_instances
from controlplane.usecases.polls import Poll, note_polls
from controlplane.usecases.starting import prepare
from controlplane.usecases.telemetry import record_reports
from tests.builders import NOW, a_cause, a_flag_document, a_report
from tests.web.edge.plane import wait_until

BRIDGE = Place("production", "dspex-bridge")
WHO = {"Throwbar_Service": "reports", "Throwbar_Instance": "go-7", "User_Agent": "throwbar-go/1.0"}


@pytest.fixture
def store(migrated_url):
    with open_store(migrated_url) as opened:
        prepare(opened, Settings(database_url=migrated_url), NOW)
        yield opened


def listed(store: Any, now: Any = NOW) -> Any:
    return {each["instance"]: each for each in list_instances(store, "production", now)}


def a_poll(**fields: Any) -> Poll:
    usual = {"environment": "production", "instance": "go-7", "service": "reports", "sdk": "", "source": "s"}
    return Poll(**{**usual, "version": 1, "at": NOW, **fields})


def test_a_process_that_polls_and_never_reports_is_listed_with_what_it_holds(plane, store, clock):
    create_flag(store, "production", a_flag_document(), a_cause())
    wait_until(lambda: plane.poll(**WHO).json["version"] == 2)
    wait_until(lambda: "go-7" in listed(store))
    assert convergence(store, BRIDGE, NOW)["on_newest"] == 0

    clock.pass_by(timedelta(seconds=1))
    plane.poll(plane.poll().headers["etag"], **WHO)

    wait_until(lambda: listed(store)["go-7"]["version"] == 2)
    told = listed(store)["go-7"]
    assert (told["service"], told["sdk"], told["is_current"], told["reports"]) == (
        "reports",
        "throwbar-go/1.0",
        True,
        False,
    )
    assert convergence(store, BRIDGE, NOW)["sentence"] == "1 of 1 instance on version 2"


def test_one_that_hangs_for_news_is_heard_of_for_as_long_as_it_does(plane, store, clock):
    held = plane.poll().headers["etag"]
    connection = plane.connect()
    headers = {"Authorization": f"Bearer {plane.token}", "If-None-Match": held, "Prefer": "wait=60"}
    connection.request("GET", "/sdk/v1/snapshot", headers={**headers, "Throwbar-Instance": "go-7"})
    wait_until(lambda: "go-7" in listed(store))

    clock.pass_by(timedelta(seconds=50))

    wait_until(lambda: not listed(store, clock.now)["go-7"]["silent"])
    connection.close()


@pytest.mark.parametrize("name", ["", "x" * 101, "\N{LATIN SMALL LETTER E WITH ACUTE}", "a\tb"])
def test_a_name_that_cannot_be_kept_is_answered_and_passed_over(plane, store, name):
    assert plane.poll(Throwbar_Instance=name).status == 200
    plane.poll(**WHO)

    wait_until(lambda: "go-7" in listed(store))
    assert set(listed(store)) == {"go-7"}


def test_the_first_report_of_a_process_that_polled_counts_and_no_poll_takes_anything_from_it(store):
    note_polls(store, [a_poll(instance="i-1", version=3)])
    record_reports(store, [a_report(instance="i-1", sequence=1, version=4)], NOW + timedelta(seconds=5))
    note_polls(store, [a_poll(instance="i-1", version=3, at=NOW + timedelta(seconds=4))])

    told = listed(store)["i-1"]
    assert (told["reports"], told["version"]) == (True, 4)
    with store.reading() as uow:
        assert len(uow.journal.oldest(10)) == 1


def test_a_process_is_written_again_only_when_it_has_news_or_time_has_passed(store):
    note_polls(store, [a_poll()])
    note_polls(store, [a_poll(at=NOW + timedelta(seconds=9))])
    assert listed(store)["go-7"]["last_seen_at"] == NOW.isoformat()

    note_polls(store, [a_poll(at=NOW + timedelta(seconds=9), version=2)])
    assert listed(store)["go-7"]["version"] == 2

    note_polls(store, [a_poll(at=NOW + timedelta(seconds=20), source="", version=0)])
    told = listed(store)["go-7"]
    assert (told["version"], told["last_seen_at"]) == (2, (NOW + timedelta(seconds=20)).isoformat())


def test_one_that_only_polls_is_no_evidence_of_a_reporting_process(store):
    note_polls(store, [a_poll()])

    with store.reading() as uow:
        assert uow.instances.number(uow.environments.get("production").id) == 0
