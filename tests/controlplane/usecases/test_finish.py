"""Weeks after the end: who still calls the baseline, from where in its code, and what is forgotten."""

from datetime import timedelta

import pytest

from controlplane.domain.retention import Retention
from controlplane.usecases import flags
from controlplane.usecases.finish import describe_finish, list_stale
from controlplane.usecases.retention import pack_next, thin
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report
from tests.controlplane.usecases.reporting import HERE

DAY = timedelta(days=1)
SITE = {"flag": "dspex-bridge", "operation": "echo", "call": "route", "place": "app/bridge.py:41"}
OTHER = {**SITE, "operation": "simple_predict", "place": "app/bridge.py:50"}


@pytest.fixture(autouse=True)
def _flag(store):
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {"percent": 100}}), a_cause())


class Reports:
    def __init__(self, store, lease) -> None:
        self.store, self.lease, self.sequence = store, lease, 0

    def __call__(self, at, side="candidate", **head) -> None:
        self.sequence += 1
        backend = {"candidate": "snakepit", "baseline": "python_pool_v2"}[side]
        cell = a_cell(side=side, backend=backend, share=100_000, start=int(at.timestamp()))
        report = a_report(cell, sequence=self.sequence, **head)
        record_reports(self.store, [report], at)
        fold(self.store, self.lease)


@pytest.fixture
def report(store, lease) -> Reports:
    return Reports(store, lease)


def test_the_last_call_to_the_baseline_is_told_with_its_place_in_the_code_and_after_fourteen_days_it_can_go(
    store, lease, report
):
    report(NOW, "baseline", sites=(SITE, OTHER))
    for day in range(1, 14):
        report(NOW + day * DAY)
    finish = describe_finish(store, HERE, NOW + 13 * DAY)
    assert not finish["ready"]
    assert finish["sentence"].startswith("100 calls went to python_pool_v2 in the last 14 days, the last one 13 days")
    assert finish["callers"] == [
        {
            "operation": "echo",
            "service": "bridge-api",
            "instance": "i-1",
            "last_at": NOW.isoformat(),
            "assigned_by": "share",
            "places": ["app/bridge.py:41"],
        }
    ]

    while pack_next(store, lease, NOW + 15 * DAY):
        pass
    thin(store, lease, NOW + 15 * DAY, Retention())
    finish = describe_finish(store, HERE, NOW + 15 * DAY)
    assert finish["ready"]
    assert finish["sentence"] == "0 calls to python_pool_v2 for 14 days: ready to remove"
    assert finish["last_baseline_at"] == NOW.isoformat()
    assert len(finish["clean_up"]["items"]) == 5


def test_registrations_are_told_once_and_stay_while_the_process_lives(store, report):
    report(NOW, sites=(SITE,))
    report(NOW + timedelta(minutes=1))

    assert describe_finish(store, HERE, NOW + timedelta(minutes=2))["sites"] == [
        {"service": "bridge-api", "operation": "echo", "call": "route", "place": "app/bridge.py:41", "instances": 1}
    ]
    assert describe_finish(store, HERE, NOW + timedelta(hours=1))["sites"] == []


def test_a_caller_is_written_down_every_few_minutes_and_not_at_each_report(store, report):
    last = []
    for minute in (0, 2, 4, 6):
        report(NOW + timedelta(minutes=minute), "baseline")
        last.append(describe_finish(store, HERE, NOW)["callers"][0]["last_at"])

    assert last == [NOW.isoformat()] * 3 + [(NOW + timedelta(minutes=6)).isoformat()]


def test_stale_flags_are_listed_and_those_in_use_are_not(store, lease, report):
    flags.create_flag(store, "production", a_flag_document(key="forgotten", owner="nobody"), a_cause())
    report(NOW + 29 * DAY, sites=(SITE,))
    while pack_next(store, lease, NOW + 29.5 * DAY):
        pass

    (stale,) = list_stale(store, "production", NOW + 29 * DAY + timedelta(minutes=5))

    assert stale["flag"] == "forgotten"
    assert stale["reasons"] == ["no call was ever reported for 29 days", "no running process registers it"]


def test_an_archived_flag_says_how_long_it_still_answers(store):
    flags.archive_flag(store, HERE, a_cause())

    assert describe_finish(store, HERE, NOW)["answers_until"] == (NOW + 90 * DAY).isoformat()
