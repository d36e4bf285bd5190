"""Does a rollout use what the baseline's halves told before it, and does it hold where they differ?"""

import random
from datetime import timedelta

import pytest

from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.evidence import evidence_series
from controlplane.usecases.health import flag_health
from controlplane.usecases.planning import forecast_plan
from controlplane.usecases.telemetry import fold, record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

HERE = Place("production", "dspex-bridge")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def flag(store):
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {}}), a_cause())


@pytest.fixture
def heard(store, lease):
    """Hours of the baseline alone, a report a minute of each process; each counts the same keys."""

    def lived(hours, processes=1, first=lambda keys, toss: sum(toss.getrandbits(1) for _ in range(keys))):
        toss = random.Random(7)
        for number in range(int(hours * 60)):
            at = NOW - timedelta(hours=hours) + number * MINUTE
            halves = {"fresh_keys": _split(first(40, toss), 40), "bad_keys": _split(first(10, toss), 10)}
            sides = {"side": "baseline", "backend": "python_pool_v2", "share": 0, "attempt": 0, "halves": halves}
            cell = a_cell(start=int(at.timestamp()), calls=100, errors={"timeout": 10}, **sides)
            reports = [a_report(cell, instance=f"i-{each}", sequence=number + 1) for each in range(processes)]
            record_reports(store, reports, at)
        fold(store, lease)

    return lived


def _split(first, keys):
    return [first, keys - first]


def opened(store, lease):
    rollouts.start(store, HERE, a_cause())
    tick(store, lambda: NOW + MINUTE, Clockwork(), lease)


def checked(store):
    findings = flag_health(store, HERE, NOW + MINUTE, Clockwork())["operations"]["echo"]["findings"]
    return next(each for each in findings if each["guardrail"] == "a_a")


@pytest.mark.parametrize(("processes", "least", "most"), [(1, 1.5, 1.5), (3, 3.0, 4.5)])
def test_a_rollout_is_judged_with_what_its_baseline_showed_before_it(store, lease, heard, processes, least, most):
    heard(3, processes)
    opened(store, lease)

    found = checked(store)

    assert least <= found["design_effect"] <= most
    assert (found["verdict"], found["baseline_seconds"]) == ("healthy", 3 * 3600)
    assert "keys of python_pool_v2 showed before the attempt" in found["sentence"]


def test_with_less_than_two_hours_of_the_baseline_the_page_says_that_two_failures_are_worth_one(store, lease, heard):
    heard(1.5)
    opened(store, lease)

    found = checked(store)

    assert found["design_effect"] == 2.0
    assert found["sentence"].endswith(
        "90\u202fmin of calls to python_pool_v2 by key before the attempt, of 2\u202fh needed: 2 failures count as one"
    )


def test_halves_that_differ_hold_the_rollout_until_somebody_sets_a_design_effect(store, lease, heard):
    heard(3, first=lambda keys, toss: keys - 1)
    opened(store, lease)

    held = flag_health(store, HERE, NOW + MINUTE, Clockwork())
    flags.set_guardrails(store, HERE, {"min_samples": 0, "design_effect": 10}, a_cause(NOW + MINUTE))
    tick(store, lambda: NOW + 2 * MINUTE, Clockwork(), lease)
    freed = flag_health(store, HERE, NOW + 2 * MINUTE, Clockwork())

    assert held["step"] == "hold"
    assert "something else than chance splits the keys" in held["waiting_for"]
    assert not [each for each in freed["operations"]["echo"]["findings"] if each["guardrail"] == "a_a"]


def test_the_plan_says_what_it_would_be_judged_with_before_anybody_is_exposed(store, heard):
    heard(3)

    echo = forecast_plan(store, HERE, NOW, Clockwork())["operations"]["echo"]

    assert echo["design_effect"] == 1.5
    assert "1.5 failures count as one" in echo["design_effect_from"]


def test_what_was_measured_is_in_the_record_and_recomputed_with_it(store, lease, heard):
    heard(3)
    opened(store, lease)
    start = int((NOW + 2 * MINUTE).timestamp())
    sides = (
        a_cell(start=start, errors={"timeout": 60}),
        a_cell(start=start, side="baseline", backend="python_pool_v2", calls=900),
    )
    record_reports(store, [a_report(*sides, sequence=1000)], NOW + 2 * MINUTE)
    tick(store, lambda: NOW + 3 * MINUTE, Clockwork(), lease)

    recomputed = evidence_series(store, HERE, NOW + 3 * MINUTE, Clockwork())

    assert [each["action"] for each in recomputed["decisions"]] == ["rollout:roll_back"]
    assert recomputed["same"]


def test_the_first_bucket_of_the_first_attempt_is_bet_on_where_the_baseline_was_heard_of_before(store, lease, heard):
    heard(0.5)
    opened(store, lease)
    start = int((NOW + 2 * MINUTE).timestamp())
    sides = (a_cell(start=start), a_cell(start=start, side="baseline", backend="python_pool_v2", calls=900))
    record_reports(store, [a_report(*sides, sequence=1000)], NOW + 2 * MINUTE)
    tick(store, lambda: NOW + 3 * MINUTE, Clockwork(), lease)

    with store.reading() as uow:
        watch = uow.watches.get(uow.environments.get("production").id, HERE.flag)
    assert {name: wealth.buckets for name, wealth in watch.evidence["echo"].latency.items()}["p99"] == 1
    assert evidence_series(store, HERE, NOW + 3 * MINUTE, Clockwork())["same"]
