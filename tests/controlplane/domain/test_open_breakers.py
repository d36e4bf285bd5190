"""Do open breakers take back a dead candidate at once, and nobody else?"""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.findings import Consequence
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach
from controlplane.domain.open_breakers import Asked, Side, Told, log_evidence, open_breakers
from controlplane.domain.refusals import Budget, Refusals
from controlplane.domain.words import one_in

LIMITS = Guardrails(compare=Compare())
DEAD = Told(Side(300, 1), Side(40, 40, failed_keys=5))
WELL = Told(Side(300, 1), Side(40, 10, failed_keys=10))


def asked(*told, **changes):
    values = {"operation": "echo", "baseline_name": "old", "candidate_name": "new", "share": 10_000}
    return Asked(**{**values, "told": told, **changes})


def found(*told, limits=LIMITS, **changes):
    return next(open_breakers(limits, asked(*told, **changes)), None)


def test_a_dead_candidate_is_taken_back_and_the_sentence_says_on_what():
    finding = found(DEAD)

    assert finding.consequence is Consequence.ROLL_BACK
    assert finding.sentence == (
        "echo: 1 process tells of an open breaker; new failed, or was spared, for 40 of 40 keys, old failed for 1 of 300: "
        f"evidence 1 in {one_in(finding.numbers['log_evidence'])} that it is dead, limit 1 in 200"
    )


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(WELL, id="most keys are well"),
        pytest.param(replace(DEAD, candidate=Side(400, 220, failed_keys=5)), id="hardly more than half are bad"),
        pytest.param(replace(DEAD, baseline=Side(300, 60)), id="the baseline fails as well"),
        pytest.param(replace(DEAD, baseline=Side(300, 29)), id="it fails so often that breakers open by chance"),
        pytest.param(replace(DEAD, baseline=Side(0, 0)), id="no baseline to go back to"),
        pytest.param(replace(DEAD, baseline=Side(5, 0)), id="nobody can tell how the baseline is"),
        pytest.param(replace(DEAD, candidate=Side(40, 40, failed_keys=1)), id="one broken key opened the breaker"),
        pytest.param(replace(DEAD, candidate=Side(9, 9, failed_keys=9)), id="too few keys"),
    ],
)
def test_nobody_else_is_condemned(told):
    assert found(told) is None


def test_one_broken_key_in_every_process_is_one_broken_key():
    assert found(*[replace(DEAD, candidate=Side(40, 40, failed_keys=1))] * 50) is None


def test_one_broken_instance_of_fifty_is_no_dead_candidate():
    assert found(DEAD, quiet=49) is None
    assert found(DEAD, quiet=1) is None


def test_most_of_a_fleet_is_enough():
    assert found(*[DEAD] * 9, quiet=1)


def test_where_sealed_buckets_told_of_an_incident_of_both_sides_nothing_is_said():
    assert found(DEAD, refusals=Refusals(opened=Budget(until=600)), at=599) is None
    assert found(DEAD, refusals=Refusals(opened=Budget(until=600)), at=600)


def test_at_100_percent_and_at_none_there_is_nothing_to_compare_with():
    assert found(DEAD, share=100_000) is None
    assert found(DEAD, share=0) is None
    assert found(DEAD, limits=Guardrails(compare=None, max_error_rate=0.05)) is None


@pytest.mark.parametrize(
    ("policy", "consequence"), [(OnBreach.HOLD, Consequence.HOLD), (OnBreach.REPORT, Consequence.REPORT)]
)
def test_what_a_breach_may_do_is_for_the_policy_to_say(policy, consequence):
    assert found(DEAD, limits=replace(LIMITS, on_breach=policy)).consequence is consequence


def test_each_opening_and_each_operation_asks_for_more():
    once, again = found(DEAD), found(replace(DEAD, opens=3), operations=2)

    assert math.exp(once.numbers["log_limit"]) == pytest.approx(200)
    assert math.exp(again.numbers["log_limit"]) == pytest.approx(2 * 12 * 100)


@given(keys=st.integers(1, 80), rate=st.floats(0, 0.5), design_effect=st.floats(1, 5))
def test_where_at_most_half_of_the_keys_fail_the_bet_wins_nothing_in_the_mean(keys, rate, design_effect):
    mean = sum(
        math.comb(keys, bad) * rate**bad * (1 - rate) ** (keys - bad) * math.exp(log_evidence(keys, bad, design_effect))
        for bad in range(keys + 1)
    )

    assert mean <= 1 + 1e-9


@given(keys=st.integers(1, 200), bad=st.integers(0, 200), supposed=st.integers(0, 200))
def test_processes_that_are_well_only_ever_speak_for_the_candidate(keys, bad, supposed):
    bad = min(bad, keys)

    assert log_evidence(keys + supposed, bad, 2.0) <= log_evidence(keys, bad, 2.0) + 1e-9
