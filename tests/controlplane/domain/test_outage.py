"""Is a dead candidate found whose keys have all failed before, and nobody else condemned for it?"""

import math
import random

import pytest

from controlplane.documents.watching import evidence_document, parse_evidence
from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.health import flag_evidence, judge
from controlplane.domain.observation import Evidence, gather
from tests.builders import a_bucket, a_sample, an_arm

LIMITS = Guardrails(compare=Compare())
NEEDED = math.log(100)


def fresh(keys, bad):
    """Keys that come for the first time, some of which fail."""
    return an_arm(keys, bad, rise_from={})


def known(keys, bad_calls):
    """Keys that came before, of which none is bad for the first time."""
    return an_arm(keys, 0, bad=bad_calls)


def lived(first, *buckets):
    """An attempt that begins with a bucket of fresh keys."""
    seen = gather(Evidence(), a_bucket(*first), LIMITS)
    for number, (candidate, baseline) in enumerate(buckets, 1):
        seen = gather(seen, a_bucket(candidate, baseline, start=10 * number), LIMITS)
    return seen


def found(seen):
    sides = {"candidate": known(100, 98), "baseline": known(900, 9)}
    sample = a_sample(seen, **sides)
    findings = judge(LIMITS, sample, flag_evidence([seen]))
    return next((each for each in findings if each.guardrail == "outage"), None)


SPENT = (fresh(200, 120), fresh(1800, 1100))


def test_a_dead_candidate_whose_keys_have_all_failed_before_is_taken_back_by_its_calls():
    finding = found(lived(SPENT, (known(100, 98), known(900, 9))))

    assert finding
    assert (finding.verdict, finding.consequence) == (Verdict.UNHEALTHY, Consequence.ROLL_BACK)
    assert finding.sentence.startswith(
        "echo: 98\u202f% of calls to snakepit fail, 1\u202f% of those to python_pool_v2;"
    )


def test_where_keys_can_still_tell_calls_are_not_asked():
    assert found(lived((fresh(200, 60), fresh(1800, 18)), (known(100, 98), known(900, 9)))) is None


def test_an_outage_of_both_sides_is_no_reason_to_go_back():
    assert found(lived(SPENT, *[(known(100, 100), known(900, 900))] * 10)) is None


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5])
def test_a_candidate_of_which_no_more_than_half_of_the_calls_fail_is_no_outage(rate):
    toss, alarms = random.Random(1), 0
    for _ in range(200):
        failed = [sum(toss.random() < rate for _ in range(20)) for _ in range(100)]
        seen = lived(SPENT, *[(known(20, each), known(180, 2)) for each in failed])
        alarms += seen.outage.log_evidence >= NEEDED

    assert alarms <= 3


def test_what_was_seen_of_an_outage_survives_being_stored():
    seen = lived(SPENT, (known(100, 98), known(900, 9)))

    assert parse_evidence(evidence_document(seen)).outage == seen.outage
