import math
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.evidence import Pair
from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.gates import gates
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.proof import log_proof, proved
from controlplane.domain.rollout import Rollout, State, Step, next_step
from tests.builders import NOW, a_bucket, a_plan, a_sample, an_arm

NEEDED = math.log(20)  # β = 5 %
WIDE = {"ratio": 1.25, "margin": 0.001, "design_effect": 1.0}
WANTED = Guardrails(min_samples=0, compare=Compare(1.25, 0.001, sample_ratio_alpha=None), design_effect=1.0)


def proof_of(*buckets, **tolerated):
    bets = ()
    for pair in buckets:
        bets = proved(bets, [(pair, pair.candidate)], **{**WIDE, **tolerated})
    return log_proof(bets)


def drawn(source, units, rate):
    mean = units * rate
    return min(units, max(0, round(source.gauss(mean, math.sqrt(mean * (1 - rate))))))


def a_run(source, rate, candidate_rate, buckets, units=1000):
    return [
        Pair(units, units, drawn(source, units, candidate_rate), drawn(source, units, rate)) for _ in range(buckets)
    ]


def test_nothing_seen_proves_nothing():
    assert log_proof(()) == 0.0
    assert proof_of(Pair(0, 1000, 0, 10), Pair(1000, 0, 0, 0)) == 0.0


@given(st.integers(1, 1000), st.integers(1, 1000), st.data())
def test_one_more_bad_key_of_the_candidate_never_proves_more(candidate, baseline, data):
    bad = data.draw(st.integers(0, candidate - 1))
    other = data.draw(st.integers(0, baseline))

    assert proof_of(Pair(candidate, baseline, bad + 1, other)) <= proof_of(Pair(candidate, baseline, bad, other))


@given(st.integers(1, 1000), st.integers(1, 1000), st.data())
def test_the_order_of_buckets_does_not_matter(candidate, baseline, data):
    pairs = [
        Pair(candidate, baseline, data.draw(st.integers(0, candidate)), data.draw(st.integers(0, baseline)))
        for _ in range(3)
    ]

    assert proof_of(*pairs) == pytest.approx(proof_of(*reversed(pairs)), rel=1e-9, abs=1e-9)


def test_an_equal_candidate_is_proven_no_worse_in_the_end():
    run = a_run(random.Random("equal"), 0.01, 0.01, 60)

    assert proof_of(*run[:2]) < NEEDED <= proof_of(*run)


def test_a_candidate_that_is_twice_as_bad_never_is():
    run = a_run(random.Random("worse"), 0.01, 0.02, 60)

    assert proof_of(*run) < -10


def test_a_candidate_exactly_at_the_margin_is_proven_in_at_most_one_run_of_twenty():
    source = random.Random("margin")
    proven = 0
    for _ in range(200):
        bets = ()
        for pair in a_run(source, 0.05, 0.05 * 1.25 + 0.001, 100):
            bets = proved(bets, [(pair, pair.candidate)], **WIDE)
            if log_proof(bets) >= NEEDED:
                proven += 1
                break

    assert proven <= 16  # 10 expected at most; 16 is 2 standard deviations more


def test_time_alone_proves_nothing_about_keys_that_return():
    """3 of 20 keys fail at the candidate, 1 of 180 at the baseline; then all are well, and come again and again."""
    evidence = gather(Evidence(), a_bucket(an_arm(20, 3, rise_from={}), an_arm(180, 1, rise_from={})), WANTED)
    for number in range(1, 2000):
        evidence = gather(evidence, a_bucket(an_arm(20), an_arm(180), start=10 * number), WANTED)

    assert log_proof(evidence.proof) < 0


def found(evidence=None, **changes):
    sample = a_sample(evidence, asks_for_proof=True, **changes)
    return next(each for each in gates(WANTED, sample) if each.guardrail == "no_worse")


def evidence_of(log):
    return replace(a_sample().evidence, proof=(log,))


def test_what_is_not_proven_says_how_far_it_is():
    finding = found(evidence_of(math.log(20) / 2))

    assert (finding.verdict, finding.consequence) == (Verdict.INCONCLUSIVE, Consequence.NONE)
    assert finding.sentence == (
        "echo: not proven yet: snakepit fails for at most 1.25 × the keys of python_pool_v2 + 0.1\u202f%; "
        "evidence 1 in 4.5, needed 1 in 20: 50\u202f% of the way"
    )


def test_what_is_proven_says_so():
    finding = found(evidence_of(math.log(25)))

    assert finding.verdict is Verdict.HEALTHY
    assert finding.sentence.startswith("echo: proven: snakepit fails for at most 1.25 × ")


def test_without_a_baseline_beside_it_nothing_can_be_proven():
    assert "cannot be proven, with nothing to compare" in found(share=100_000).sentence


def test_only_a_stage_that_asks_for_proof_is_held_to_it():
    assert [each.guardrail for each in gates(WANTED, a_sample())] == []


@pytest.mark.parametrize(("log", "step"), [(0.0, Step.WAIT), (math.log(25), Step.ADVANCE)])
def test_an_unproven_stage_waits_with_the_sentence_and_a_proven_one_advances(log, step):
    finding = found(evidence_of(log))
    rollout = Rollout(State.RUNNING, entered_at=NOW - timedelta(days=1))

    decision = next_step(a_plan(), rollout, [finding], NOW)

    assert decision.step is step
    assert (decision.because == finding.sentence) is (step is Step.WAIT)
