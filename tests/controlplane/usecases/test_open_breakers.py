from datetime import timedelta

import pytest

from controlplane.domain.rollout import State, Step
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.evidence import Asked, evidence_series
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
SOON = NOW + timedelta(seconds=4)
DEAD = {"keys": 40, "bad_keys": 40, "failed_keys": 5}
WELL = {"keys": 300, "bad_keys": 0, "failed_keys": 0}


@pytest.fixture
def guardrails():
    return {"min_samples": 100}


@pytest.fixture
def operations():
    return ("echo",)


@pytest.fixture
def plan():
    return a_plan_document(10)


@pytest.fixture(autouse=True)
def started(store, guardrails, operations, plan):
    listed = {name: {"percent": 0} for name in operations}
    document = a_flag_document(operations=listed, plan=plan, guardrails=guardrails)
    flags.create_flag(store, "production", document, a_cause())
    return rollouts.start(store, HERE, a_cause())


def a_breaker(**so_far):
    counts = {"attempt": 1, "start": int(NOW.timestamp()), "baseline": WELL, "candidate": DEAD, **so_far}
    head = {"flag": "dspex-bridge", "operation": "echo", "side": "candidate", "state": "open"}
    return {**head, "since": NOW.timestamp(), "failure_rate": 1.0, "opens": 1, "so_far": counts}


def report(store, *breakers, instance="i-1", at=NOW):
    record_reports(store, [a_report(instance=instance, breakers=breakers)], at)


def steps(store, lease, at=SOON):
    return [step for _, _, step in tick(store, lambda: at, Clockwork(), lease).steps]


def test_a_dead_candidate_is_rolled_back_while_its_bucket_is_unsealed(store, lease):
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]
    assert flags.get_flag(store, HERE).rollout.state is State.ROLLED_BACK


def test_a_paused_rollout_is_rolled_back_as_well(store, lease):
    rollouts.pause(store, HERE, a_cause())
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]


def test_a_completed_rollout_is_rolled_back_as_well(store, lease):
    rollouts.advance(store, HERE, a_cause())
    assert flags.get_flag(store, HERE).rollout.state is State.COMPLETED
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]


APPROVAL = {"stages": [{"percent": each, "bake_seconds": 1, "approval": True} for each in (10, 50)]}


@pytest.mark.parametrize(("plan", "guardrails"), [(APPROVAL, {"min_samples": 0})])
def test_a_rollout_that_waits_for_approval_is_rolled_back_as_well(store, lease):
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]


@pytest.mark.parametrize("operations", [("echo", "predict")])
@pytest.mark.parametrize("guardrails", [{"min_samples": 100, "rollback_scope": "operation"}])
def test_only_the_operation_that_is_dead_is_taken_back_where_the_policy_says_so(store, lease):
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]
    flag = flags.get_flag(store, HERE)
    assert (flag.rollout.state, flag.rolled_back) == (State.RUNNING, False)
    assert [(each.rolled_back, each.share) for each in flag.operations.values()] == [(True, 0), (False, 10_000)]
    assert steps(store, lease, SOON + timedelta(seconds=1)) == []


@pytest.mark.parametrize("operations", [("echo", "predict")])
def test_the_whole_flag_is_taken_back_where_it_does_not(store, lease):
    report(store, a_breaker())

    assert steps(store, lease) == [Step.ROLL_BACK]
    assert flags.get_flag(store, HERE).rolled_back


def test_the_decision_can_be_made_again_from_the_counts_in_its_record(store, lease):
    report(store, a_breaker())
    steps(store, lease)

    (decided,) = evidence_series(store, HERE, SOON, Clockwork(), Asked())["decisions"]

    assert decided["rule"] == "open_breakers"
    assert decided["same"] is True
    both = decided["operations"]["echo"]["open_breakers"]
    assert both["recorded"] == both["recomputed"] > 5


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"attempt": 0}, id="of an earlier attempt"),
        pytest.param({"start": int(NOW.timestamp()) - 70}, id="counted a minute ago"),
        pytest.param({"baseline": {**WELL, "bad_keys": 150, "failed_keys": 150}}, id="an incident of both sides"),
        pytest.param({"candidate": {**DEAD, "failed_keys": 1}}, id="one broken key that hammers"),
        pytest.param({"baseline": {**WELL, "bad_keys": 28, "failed_keys": 28}}, id="breakers open by chance"),
    ],
)
def test_nothing_else_rolls_back(store, lease, told):
    report(store, a_breaker(**told))

    assert steps(store, lease) == []


def test_what_was_told_half_a_minute_ago_is_left_to_the_sealed_buckets(store, lease):
    later = NOW + timedelta(seconds=31)
    report(store, a_breaker(start=int(later.timestamp())))

    assert steps(store, lease, later) == []


def test_a_baseline_whose_breaker_would_have_opened_is_no_place_to_go_back_to(store, lease):
    tripped = {**a_breaker(), "side": "baseline", "state": "metrics_only"}
    del tripped["so_far"]
    report(store, a_breaker(), tripped)

    assert steps(store, lease) == []


def test_one_dead_instance_among_those_of_its_service_is_no_dead_candidate(store, lease):
    report(store, a_breaker())
    report(store, instance="i-2")

    assert steps(store, lease) == []


def test_a_report_of_an_older_sdk_says_as_much_as_before(store, lease):
    told = a_breaker()
    del told["so_far"]
    report(store, told)

    assert steps(store, lease) == []


@pytest.mark.parametrize("guardrails", [{"min_samples": 100, "on_breach": "report"}])
def test_a_policy_that_only_reports_has_it_written_down(store, lease):
    report(store, a_breaker())

    assert steps(store, lease) == []
    entry = list_entries(store, "production", Filter(flag="dspex-bridge")).items[0]
    assert entry.action.value == "rollout:would_roll_back"
    assert entry.record["rule"] == "open_breakers"
