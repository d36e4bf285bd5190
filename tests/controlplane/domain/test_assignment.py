import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.assignment import Assignment, Turnout, log_mismatch, most_conspicuous
from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.gates import gates
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.share import FULL
from tests.builders import a_bucket, a_sample, an_arm

NEEDED = math.log(1000)  # α = 0.1 %
SHARE = 10_000
COUNTS = st.integers(0, 5000)


def seen(candidate, baseline, share=SHARE):
    return {share: Assignment(Turnout(fresh=baseline), Turnout(fresh=candidate))}


def arriving(keys, **changes):
    """An arm whose keys the attempt has never seen."""
    return an_arm(keys, rise_from={}, **changes)


def drawn(random_, keys, share):
    return sum(random_.random() < share for _ in range(keys))


@given(COUNTS, COUNTS, st.integers(1, FULL - 1))
def test_too_few_at_one_side_is_too_many_at_the_other(candidate, baseline, share):
    mirrored = log_mismatch(seen(baseline, candidate, FULL - share))

    assert log_mismatch(seen(candidate, baseline, share)) == pytest.approx(mirrored, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("candidate", "baseline"), [(11, 989), (300, 700)])
def test_a_lack_and_a_surplus_of_candidate_keys_are_both_noticed(candidate, baseline):
    assert log_mismatch(seen(candidate, baseline)) >= NEEDED


@pytest.mark.parametrize("share", [0, FULL])
def test_a_share_that_draws_nothing_can_not_be_missed(share):
    assert log_mismatch(seen(5000, 5000, share)) == 0.0


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(2, 50))
def test_the_more_processes_may_have_counted_a_key_the_less_it_says(candidate, baseline, processes):
    alone = log_mismatch(seen(candidate, baseline))

    assert log_mismatch(seen(candidate, baseline), processes) <= max(alone, 0.0) + 1e-9


def test_keys_that_are_assigned_by_the_share_are_doubted_in_at_most_one_run_of_a_thousand():
    """Looked at after each of 200 buckets; 400 runs, so that one doubt is already more than can be expected."""
    source = random.Random("assigned")
    doubted = 0
    for _ in range(400):
        candidate = baseline = 0
        worst = 0.0
        for _ in range(200):
            arrived = 50
            ours = drawn(source, arrived, 0.1)
            candidate, baseline = candidate + ours, baseline + arrived - ours
            worst = max(worst, log_mismatch(seen(candidate, baseline)))
        doubted += worst >= NEEDED

    assert doubted <= 1


def test_a_fifth_of_the_candidates_keys_missing_is_noticed_within_10_buckets_of_1000_keys():
    source = random.Random("missing")
    delays = []
    for _ in range(31):
        candidate = baseline = buckets = 0
        while log_mismatch(seen(candidate, baseline)) < NEEDED:
            ours = drawn(source, 1000, 0.1)
            candidate, baseline = candidate + drawn(source, ours, 0.8), baseline + 1000 - ours
            buckets += 1
        delays.append(buckets)

    assert sorted(delays)[15] <= 10


def test_keys_that_return_are_not_drawn_again():
    """200 keys of which luck gave the candidate 30 instead of 20, coming back in each of 500 buckets."""
    evidence = Evidence()
    for number in range(500):
        returning = (an_arm(30), an_arm(170)) if number else (arriving(30), arriving(170))
        evidence = gather(evidence, a_bucket(*returning, share=SHARE, start=10 * number), Guardrails())

    assert log_mismatch(evidence.assignments) < math.log(20)
    assert evidence.assignments[SHARE].candidate == Turnout(keys=15_000, fresh=30)


def test_200_keys_that_return_for_ever_are_doubted_in_at_most_one_run_of_a_thousand():
    source = random.Random("sticky")
    counts = [drawn(source, 200, 0.1) for _ in range(3000)]

    assert sum(log_mismatch(seen(ours, 200 - ours)) >= NEEDED for ours in counts) <= 3


def test_the_same_keys_in_each_of_20_processes_are_one_draw():
    source = random.Random("roaming")
    counts = [drawn(source, 200, 0.1) for _ in range(1000)]

    assert sum(log_mismatch(seen(20 * ours, 20 * (200 - ours)), 20) >= NEEDED for ours in counts) <= 1
    assert sum(log_mismatch(seen(20 * ours, 20 * (200 - ours))) >= NEEDED for ours in counts) > 50


def test_keys_that_a_breaker_turned_away_are_not_missed():
    """Nobody counted them as fresh, so the candidate seems to get none."""
    turned_away = an_arm(100, 100, latency={}, key_latency={}, rise_from={}, rise_to={})
    bucket = a_bucket(turned_away, arriving(900), share=SHARE)

    assert log_mismatch(gather(Evidence(), bucket, Guardrails()).assignments) < 0
    assert log_mismatch(seen(0, 900)) >= NEEDED


def found(assignments, alpha=0.001, **changes):
    sample = a_sample(Evidence(assignments=assignments, newest=0), share=SHARE, **changes)
    return list(gates(Guardrails(compare=Compare(sample_ratio_alpha=alpha), design_effect=2.0), sample))


def test_a_mismatch_holds_with_a_sentence_of_both_numbers():
    (finding,) = found(seen(11, 989))

    assert (finding.verdict, finding.consequence) == (Verdict.INCONCLUSIVE, Consequence.HOLD)
    assert finding.sentence.startswith(
        "echo: 11 of 1\u202f000 keys went to snakepit where 100 were expected at 10\u202f%: one side's calls "
    )
    assert finding.numbers["expected_share"] == 0.1


def test_keys_where_they_belong_are_healthy_and_say_so():
    (finding,) = found(seen(104, 896))

    assert (finding.verdict, finding.consequence) == (Verdict.HEALTHY, Consequence.NONE)
    assert finding.sentence == "echo: 104 of 1\u202f000 keys went to snakepit where 100 were expected at 10\u202f%"


def test_who_wants_no_doubts_has_none():
    assert found(seen(11, 989), alpha=None) == []


def test_many_operations_share_one_probability():
    just = next(n for n in range(100, 0, -1) if log_mismatch(seen(n, 1000 - n)) >= NEEDED)

    assert found(seen(just, 1000 - just))[0].verdict is Verdict.INCONCLUSIVE
    assert found(seen(just, 1000 - just), operations=100)[0].verdict is Verdict.HEALTHY


def test_the_share_that_is_most_off_is_the_one_that_is_told():
    both = {1000: Assignment(Turnout(fresh=9900), Turnout(fresh=100)), **seen(300, 700)}

    assert most_conspicuous(both) == (SHARE, both[SHARE])
    assert most_conspicuous({0: Assignment()}) is None
