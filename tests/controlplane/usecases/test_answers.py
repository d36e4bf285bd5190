import math
from datetime import timedelta

import pytest

from controlplane.documents.flag import parse_flag
from controlplane.domain.errors import NotFound
from controlplane.domain.rollout import COOL_DOWN
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.entries import describe_entry, newest_changes
from controlplane.usecases.health import flag_health
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.instances import convergence, list_instances
from controlplane.usecases.listing import describe_flags
from controlplane.usecases.series import span_between
from controlplane.usecases.snapshots import current_versions
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report
from tests.controlplane.acting import lock

HERE = Place("production", "dspex-bridge")
SEALED = NOW + timedelta(seconds=60)
APPROVAL = {"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}]}


@pytest.fixture
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(operations={"echo": {}}), a_cause())


@pytest.fixture
def judged(store, lease, flag):
    """Started, reported by both sides for one bucket, and looked at once."""
    rollouts.start(store, HERE, a_cause())
    baseline = a_cell(side="baseline", backend="python_pool_v2", calls=400, errors={"timeout": 16})
    record_reports(store, [a_report(a_cell(errors={"timeout": 4}), baseline)], NOW)
    tick(store, lambda: SEALED, Clockwork(), lease)


def rollout(store, now=NOW):
    return describe_flag(store, HERE, now)["rollout"]


def test_a_flag_is_answered_as_it_was_created_and_can_be_sent_back(store, flag):
    answer = describe_flag(store, HERE, NOW)

    assert parse_flag(answer) == parse_flag(a_flag_document(operations={"echo": {}}))
    assert (answer["version"], answer["created_at"]) == (1, "2026-01-05T09:00:00+00:00")
    assert answer["rollout"]["state"] == "idle"
    assert answer["rollout"]["waiting_for"] is None


@pytest.mark.parametrize(
    ("acts", "waiting_for"),
    [
        ([rollouts.start], "bakes until 2026-01-12 09:00:00 UTC"),
        ([rollouts.start, rollouts.pause], "paused: somebody has to resume or abort it"),
        (
            [rollouts.start, rollouts.roll_back],
            "cools down until 2026-01-05 09:30:00 UTC, or until somebody unlocks it",
        ),
        ([rollouts.start, *[rollouts.advance] * 4], "completed: finish it to drop the hold-back"),
        ([rollouts.start, rollouts.abort], None),
    ],
)
def test_a_rollout_says_what_it_waits_for(store, flag, acts, waiting_for):
    for act in acts:
        act(store, HERE, a_cause())

    assert rollout(store)["waiting_for"] == waiting_for


def test_a_locked_rollout_waits_for_a_person(store, flag):
    lock(store, HERE)

    assert rollout(store)["waiting_for"] == "locked after 3 rollbacks: somebody has to unlock it"


def test_a_stage_that_has_baked_waits_for_its_approval(store):
    flags.create_flag(store, "production", a_flag_document(plan=APPROVAL), a_cause())
    rollouts.start(store, HERE, a_cause())

    assert rollout(store, SEALED)["waiting_for"] == "has baked: somebody has to approve leaving this stage"
    rollouts.approve(store, HERE, a_cause())
    assert rollout(store, SEALED)["waiting_for"] == "has baked: moves on at the next tick"


def test_a_rollout_that_holds_says_why(store, lease, flag):
    rollouts.start(store, HERE, a_cause())
    tick(store, lambda: NOW + timedelta(minutes=10), Clockwork(), lease)

    assert rollout(store)["waiting_for"] == "holds: echo: no report has arrived in this attempt"


def test_a_cool_down_that_is_over_is_not_shown(store, flag):
    rollouts.roll_back(store, HERE, a_cause())

    assert rollout(store)["cool_down_until"] == "2026-01-05T09:30:00+00:00"
    assert rollout(store, NOW + COOL_DOWN)["cool_down_until"] is None
    assert rollout(store)["rolled_back"]


def test_what_is_allowed_and_unwise_is_warned_about(store):
    document = a_flag_document(guardrails=None, plan=a_plan_document(1, 100))
    flags.create_flag(store, "production", document, a_cause())

    assert [warning.partition(":")[0] for warning in rollout(store)["warnings"]] == [
        "The plan ends at 100 %",
        "There are no guardrails",
    ]


def test_a_list_tells_health_in_a_word_and_the_last_change(store, judged):
    (listed,) = describe_flags(store, "production", SEALED)

    assert listed["health"] == "healthy"
    assert listed["last_change"]["action"] == "rollout:start"
    assert listed["last_change"]["actor"] == {"kind": "person", "name": "ann@example.org"}


def test_a_flag_that_sends_nobody_to_the_candidate_has_no_health(store, flag):
    assert describe_flags(store, "production", NOW)[0]["health"] is None


def test_too_few_samples_hold_nothing_while_the_stage_bakes_and_hold_it_after(store, lease):
    plan = a_plan_document(50, bake_seconds=90)
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {}}, plan=plan), a_cause())
    rollouts.start(store, HERE, a_cause())
    record_reports(store, [a_report(a_cell(calls=9), a_cell(calls=9, side="baseline", backend="python_pool_v2"))], NOW)
    tick(store, lambda: SEALED, Clockwork(), lease)

    young, baked = (describe_flags(store, "production", NOW + timedelta(seconds=at))[0] for at in (60, 90))
    health = flag_health(store, HERE, SEALED, Clockwork())

    assert (young["health"], young["held"]) == ("inconclusive", False)
    assert (health["verdict"], health["held"]) == ("inconclusive", False)
    assert [each["consequence"] for each in health["operations"]["echo"]["findings"] if each["holds"]] == []
    assert baked["held"]


def test_silence_that_holds_is_told_from_youth(store, lease, flag):
    rollouts.start(store, HERE, a_cause())
    tick(store, lambda: NOW + timedelta(minutes=10), Clockwork(), lease)

    assert describe_flags(store, "production", NOW + timedelta(minutes=10))[0]["held"]


def test_an_entry_is_answered_with_from_and_to(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause())

    entry = describe_entry(list_entries(store, "production", Filter()).items[0])

    assert entry["changes"][0] == {"path": "operations.echo.percent", "from": 0, "to": 5}
    assert (entry["action"], entry["version"], entry["reason"]) == ("share:set", 2, "because")
    assert [each["id"] for each in newest_changes(store, HERE)] == [3, 2]


def test_health_shows_findings_series_limits_and_events(store, judged):
    health = flag_health(store, HERE, SEALED, Clockwork())

    echo = health["operations"]["echo"]
    at = echo["series"]["starts"].index(int(NOW.timestamp()))
    assert health["judged"]
    assert {finding["guardrail"] for finding in echo["findings"]} >= {"errors_vs_baseline", "max_error_rate"}
    assert echo["series"]["candidate"]["calls"][at] == 100
    assert echo["series"]["candidate"]["error_rate"][at] == 0.04
    assert echo["series"]["baseline"]["calls"][at] == 400
    assert echo["series"]["candidate"]["error_rate"][at - 1] is None
    assert health["limits"]["echo"] == {"max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}}
    assert [event["action"] for event in health["events"]] == ["flag:create", "rollout:start"]


def test_health_shows_both_rates_and_how_far_they_are_from_certain(store, judged):
    rates = flag_health(store, HERE, SEALED, Clockwork())["operations"]["echo"]["rates"]

    assert (rates["candidate"]["rate"], rates["baseline"]["rate"], rates["confidence"]) == (0.04, 0.04, 0.99)
    assert rates["candidate"]["low"] < 0.04 < rates["candidate"]["high"]
    assert rates["ratio"]["low"] < 1 < rates["ratio"]["high"]


def test_an_operation_of_which_nothing_was_heard_has_no_rates(store, flag):
    assert flag_health(store, HERE, SEALED, Clockwork())["operations"]["echo"]["rates"] is None


def test_the_evidence_shown_is_the_evidence_that_decides(store, lease, flag):
    """An operation that nobody is exposed to must not water it down."""
    flags.patch_flag(store, HERE, {"plan": {"operations": ["echo"]}, "operations": {"idle": {}}}, a_cause())
    flags.set_guardrails(store, HERE, {"on_breach": "report"}, a_cause())
    rollouts.start(store, HERE, a_cause())
    baseline = a_cell(side="baseline", backend="python_pool_v2", calls=400)
    record_reports(store, [a_report(a_cell(errors={"timeout": 12}), baseline)], NOW)
    tick(store, lambda: SEALED, Clockwork(), lease)

    shown = flag_health(store, HERE, SEALED, Clockwork())
    (finding,) = (each for each in shown["operations"]["echo"]["findings"] if each["guardrail"] == "errors_vs_baseline")

    assert finding["log_overall"] > 1
    assert shown["evidence"] == pytest.approx(math.exp(finding["log_overall"]))


def test_a_past_span_shows_its_own_events_only(store, flag):
    flags.disable_flag(store, HERE, a_cause(NOW + timedelta(hours=2)))

    past = flag_health(store, HERE, NOW + timedelta(hours=3), Clockwork(), until=NOW + timedelta(minutes=1))

    assert [event["action"] for event in past["events"]] == ["flag:create"]


@pytest.mark.parametrize("hours", [0.01, 0.25, 1, 24, 720])
def test_a_span_has_at_most_360_points_and_whole_buckets(hours):
    span = span_between(NOW - timedelta(hours=hours), NOW, Clockwork())

    assert 1 <= len(span.starts) <= 361
    assert span.step % 10 == 0
    assert span.starts[-1] < NOW.timestamp() <= span.until


def test_instances_are_listed_with_what_they_obey(store, flag):
    newest = current_versions(store)[0]
    current = {"source": newest.source, "version": newest.version}
    record_reports(store, [a_report(**current), a_report(instance="i-2", source=newest.source, version=1)], NOW)
    record_reports(store, [a_report(instance="i-3", **current)], NOW - timedelta(seconds=31))

    listed = {
        each["instance"]: (each["is_current"], each["silent"]) for each in list_instances(store, "production", NOW)
    }
    landed = convergence(store, HERE, NOW)

    assert listed == {"i-1": (True, False), "i-2": (False, False), "i-3": (True, True)}
    assert (landed["version"], landed["instances"], landed["on_newest"]) == (newest.version, 3, 2)
    assert [each["instance"] for each in landed["behind"]] == ["i-2"]
    assert [each["instance"] for each in landed["silent"]] == ["i-3"]


def test_a_process_that_is_long_gone_is_not_waited_for(store, flag):
    record_reports(store, [a_report()], NOW)

    assert convergence(store, HERE, NOW + timedelta(minutes=11))["instances"] == 0
    with pytest.raises(NotFound):
        convergence(store, Place("production", "other"), NOW)
