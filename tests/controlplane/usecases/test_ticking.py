import gc
from datetime import datetime, timedelta

import pytest

from controlplane.domain.errors import LeaseLost
from controlplane.domain.rollout import State, Step
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import COLLECT_EVERY, tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
CLOCKWORK = Clockwork()
LEASE = timedelta(seconds=60)


class Service:
    """A service that reports one bucket at a time for both sides of both operations."""

    def __init__(self, store):
        self.store = store
        self.sequence = 0

    def report(self, at: datetime, *, buckets: int = 1, candidate: dict | None = None, baseline: dict | None = None):
        flag = flags.get_flag(self.store, HERE)
        cells = []
        for number in range(buckets):
            start = int(at.timestamp()) // 10 * 10 + 10 * number
            for name, operation in flag.operations.items():
                common = {"operation": name, "attempt": flag.rollout.attempt, "share": operation.share, "start": start}
                cells.append(a_cell(**common, side="baseline", backend="python_pool_v2", calls=400, **(baseline or {})))
                cells.append(a_cell(**common, calls=100, **(candidate or {})))
        self.sequence += 1
        record_reports(self.store, [a_report(*cells, sequence=self.sequence)], at)


@pytest.fixture
def service(store):
    return Service(store)


@pytest.fixture
def started(store):
    flags.create_flag(store, "production", a_flag_document(plan=a_plan_document(bake_seconds=3600)), a_cause())
    return rollouts.start(store, HERE, a_cause())


def test_a_healthy_stage_advances_when_its_bake_is_over(store, lease, service, started):
    service.report(NOW + timedelta(minutes=59), buckets=3)

    early = tick(store, lambda: NOW + timedelta(minutes=59, seconds=59), CLOCKWORK, lease)
    due = tick(store, lambda: NOW + timedelta(minutes=60), CLOCKWORK, lease)

    assert early.steps == ()
    assert due.steps == (("production", "dspex-bridge", Step.ADVANCE),)
    assert flags.get_flag(store, HERE).operations["echo"].share == 10_000


def test_row_29_a_candidate_that_fails_is_rolled_back_with_its_numbers(store, lease, service, started):
    service.report(NOW, buckets=3, candidate={"errors": {"timeout": 30}})

    report = tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)

    flag = flags.get_flag(store, HERE)
    entry = list_entries(store, "production", Filter(flag="dspex-bridge")).items[0]
    assert report.steps == (("production", "dspex-bridge", Step.ROLL_BACK),)
    assert flag.rolled_back
    assert flag.enabled
    assert flag.largest_share == 0
    assert entry.actor.kind == "scheduler"
    assert entry.record["findings"]
    assert "snakepit failed for" in entry.reason


def test_an_incident_that_hits_both_sides_rolls_nothing_back(store, lease, service, started):
    bad = {"errors": {"timeout": 30}}
    service.report(NOW, buckets=3, candidate=bad, baseline={"errors": {"timeout": 120}})

    report = tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)

    assert report.steps == ()
    assert not flags.get_flag(store, HERE).rolled_back


def test_row_29_ten_percent_errors_are_taken_back_within_two_windows_also_by_another_scheduler(store, service, started):
    for number in range(12):  # buckets: two windows of a minute
        at = NOW + timedelta(seconds=10 * number)
        service.report(at, candidate={"errors": {"timeout": 10}}, baseline={"errors": {"timeout": 4}})
        holder = lead(store, f"scheduler-{number}", at + number * LEASE, LEASE)  # the one before it is gone
        tick(store, lambda at=at: at + timedelta(seconds=30), CLOCKWORK, holder)

    entry = list_entries(store, "production", Filter(action="rollout:roll_back")).items[0]
    assert entry.at <= NOW + timedelta(seconds=120 + 30)
    assert "snakepit failed for" in entry.reason


@pytest.mark.parametrize(
    ("limits", "milliseconds"),
    [({"max_latency_ms": {"p95": 1000}}, 1200.0), ({}, 60.0)],
    ids=["by a limit", "beside the baseline"],
)
def test_row_30_a_slow_candidate_is_rolled_back(store, lease, service, limits, milliseconds):
    document = a_flag_document(guardrails={"min_samples": 100, **limits}, plan=a_plan_document(bake_seconds=3600))
    flags.create_flag(store, "production", document, a_cause())
    rollouts.start(store, HERE, a_cause())
    service.report(NOW, buckets=6, candidate={"milliseconds": milliseconds})

    report = tick(store, lambda: NOW + timedelta(seconds=90), CLOCKWORK, lease)

    assert report.steps == (("production", "dspex-bridge", Step.ROLL_BACK),)


@pytest.mark.parametrize("worse", [{"errors": {"timeout": 120}}, {"milliseconds": 2500.0}], ids=["errors", "latency"])
def test_swapping_the_sides_flips_the_decision(store, lease, service, started, worse):
    service.report(NOW, buckets=6, baseline=worse)

    report = tick(store, lambda: NOW + timedelta(seconds=90), CLOCKWORK, lease)

    assert (report.steps, report.failures) == ((), 0)
    assert not flags.get_flag(store, HERE).rolled_back


def test_silence_never_advances(store, lease, started):
    report = tick(store, lambda: NOW + timedelta(hours=2), CLOCKWORK, lease)

    assert report.steps == ()
    assert flags.get_flag(store, HERE).rollout.stage == 0


def test_a_plan_without_guardrails_catches_up_in_one_change(store, lease):
    document = a_flag_document(guardrails=None, plan=a_plan_document(1, 10, 50, bake_seconds=60))
    flags.create_flag(store, "production", document, a_cause())
    rollouts.start(store, HERE, a_cause())
    before = flags.get_flag(store, HERE).version

    tick(store, lambda: NOW + timedelta(minutes=10), CLOCKWORK, lease)

    flag = flags.get_flag(store, HERE)
    assert flag.operations["echo"].share == 50_000
    assert flag.version == before + 1
    assert flag.rollout.state is State.RUNNING


def test_exposure_by_hand_is_guarded_without_a_plan(store, lease, service):
    flags.create_flag(store, "production", a_flag_document(plan=None), a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 20}, a_cause())
    service.report(NOW, buckets=3, candidate={"errors": {"application": 60}})

    report = tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)

    assert report.steps == (("production", "dspex-bridge", Step.ROLL_BACK),)


def test_a_report_sent_twice_counts_once(store, lease, service, started):
    cell = a_cell(start=int(NOW.timestamp()), calls=50)
    record_reports(store, [a_report(cell)], NOW)
    record_reports(store, [a_report(cell)], NOW)

    tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)

    with store.reading() as uow:
        place, arm = uow.buckets.between(1, "dspex-bridge", 0, 2**40)[0]
    assert arm.calls == 50
    assert not place.late


def test_what_arrives_after_its_bucket_was_judged_is_kept_and_not_judged(store, lease, service, started):
    service.report(NOW, buckets=1)
    tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)
    service.report(NOW, buckets=1, candidate={"errors": {"timeout": 100}})

    report = tick(store, lambda: NOW + timedelta(seconds=70), CLOCKWORK, lease)

    assert report.steps == ()


def test_a_tick_whose_lease_was_taken_changes_nothing(store, lease, service, started):
    assert lead(store, "other", NOW + timedelta(days=4000), timedelta(days=1))
    service.report(NOW, buckets=3, candidate={"errors": {"timeout": 50}})

    with pytest.raises(LeaseLost):
        tick(store, lambda: NOW + timedelta(seconds=60), CLOCKWORK, lease)

    assert not flags.get_flag(store, HERE).rolled_back


def test_cycles_are_looked_for_seldom_during_a_tick_and_as_usual_after_it_even_if_it_fails(
    store, lease, service, started
):
    usual, during = gc.get_threshold(), []

    def clock():
        during.append(gc.get_threshold()[0])
        return NOW

    tick(store, clock, CLOCKWORK, lease)
    assert lead(store, "other", NOW + timedelta(days=4000), timedelta(days=1))
    service.report(NOW, buckets=3)
    with pytest.raises(LeaseLost):
        tick(store, clock, CLOCKWORK, lease)

    assert set(during) == {COLLECT_EVERY}
    assert usual[0] < COLLECT_EVERY
    assert gc.get_threshold() == usual
