"""A policy that may only report: it holds, writes down once what it would have done, and takes nothing back."""

from datetime import timedelta

import pytest

from controlplane.domain.rollout import Step
from controlplane.usecases import flags, rollouts
from controlplane.usecases.history import Filter, list_entries, verify
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.usecases.reporting import HERE, Life

HELD = "rollout:hold"
REPORTED = "rollout:would_roll_back"


@pytest.fixture
def begin(store, lease):
    def begun(plan=True, **guardrails):
        document = a_flag_document(
            plan=a_plan_document(1, 10, 50, bake_seconds=60) if plan else None,
            operations={"echo": {"percent": 0 if plan else 20}},
            guardrails={"min_samples": 0, "on_breach": "report", **guardrails},
        )
        flags.create_flag(store, "production", document, a_cause())
        if plan:
            rollouts.start(store, HERE, a_cause())
        return Life(store, lease)

    return begun


def entries(store, action):
    return list_entries(store, "production", Filter(flag="dspex-bridge", action=action)).items


def test_a_breach_holds_and_is_written_down_once(store, begin):
    life = begin()
    reports = life.live(12, errors={"timeout": 30})

    flag = flags.get_flag(store, HERE)
    (entry,) = entries(store, REPORTED)
    assert all(report.steps == () for report in reports)
    assert (flag.rolled_back, flag.rollout.stage, flag.operations["echo"].share) == (False, 0, 1000)
    assert entry.record["rule"] == "errors_vs_baseline"
    assert entry.record["step"] == "hold"
    assert entry.reason.startswith("would roll back, and may only report: echo: snakepit failed for")
    assert entry.changes == ()
    assert verify(store, "production").broken is None


def test_what_is_written_down_changes_nothing_that_services_see(store, begin):
    life = begin()
    life.live(2)
    with store.reading() as uow:
        before = uow.environments.get("production").version
    life.live(6, errors={"timeout": 30})

    with store.reading() as uow:
        assert uow.environments.get("production").version == before
    assert entries(store, REPORTED)


def test_silence_that_would_roll_back_is_only_reported_too(store, begin):
    life = begin(on_silence={"no_telemetry": "rollback"})
    life.at += timedelta(minutes=10)

    assert life.look().steps == ()
    assert entries(store, REPORTED)[0].record["rule"] == "no_telemetry"


def test_an_exposure_by_hand_is_reported_as_well(store, begin):
    life = begin(plan=False)
    life.live(6, errors={"timeout": 30})

    assert flags.get_flag(store, HERE).operations["echo"].share == 20_000
    assert len(entries(store, REPORTED)) == 1


def test_each_attempt_tells_its_own(store, begin):
    life = begin()
    life.live(6, errors={"timeout": 30})
    rollouts.abort(store, HERE, a_cause(life.at))
    rollouts.start(store, HERE, a_cause(life.at))
    life.at += timedelta(minutes=2)
    life.live(6, errors={"timeout": 30})

    assert [entry.record["attempt"] for entry in entries(store, REPORTED)] == [2, 1]


def test_what_holds_out_of_doubt_is_written_down_and_silence_is_not(store, begin):
    life = begin(on_breach="rollback", min_samples=10_000)
    life.live(3)
    assert entries(store, HELD) == ()

    reports = life.live(6, errors={"timeout": 5})

    assert any(Step.ROLL_BACK in {step for _, _, step in report.steps} for report in reports)
    (entry,) = entries(store, HELD)
    assert "suspicious" in entry.reason
    assert entry.at < entries(store, "rollout:roll_back")[0].at
    assert entry.at > NOW
