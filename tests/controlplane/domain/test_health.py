import math
from dataclasses import replace

import pytest

from controlplane.domain.evidence import SUSPICIOUS, Wealth
from controlplane.domain.findings import Consequence, Finding, Verdict, worst
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach
from controlplane.domain.health import flag_evidence, judge, shared_evidence
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.share import FULL
from tests.builders import a_bucket, a_finding, a_sample, an_arm

LIMITS = Guardrails(min_samples=100, max_error_rate=0.05, max_latency_ms={"p99": 1000.0})
COMPARED = Guardrails(min_samples=100)


def watched(*buckets, limits=LIMITS, **changes):
    """A sample whose evidence was gathered from these buckets, and whose window is the last of them."""
    seen = Evidence()
    for bucket in buckets:
        seen = gather(seen, bucket, limits)
    return a_sample(seen, **{"candidate": buckets[-1].candidate, "baseline": buckets[-1].baseline, **changes})


def judged(sample, limits=LIMITS, overall=None):
    found = judge(limits, sample, flag_evidence([sample.evidence]) if overall is None else overall)
    return {finding.guardrail: finding for finding in found}


def outcome(finding):
    return finding.verdict, finding.consequence


HEALTHY = (Verdict.HEALTHY, Consequence.NONE)
HELD = (Verdict.INCONCLUSIVE, Consequence.HOLD)
TAKEN_BACK = (Verdict.UNHEALTHY, Consequence.ROLL_BACK)
FAILING = a_bucket(an_arm(100, 60), an_arm(9900, 50))
SLOW = a_bucket(an_arm(100, milliseconds=3000.0), an_arm(9900))
FINE = a_bucket(an_arm(100, 1), an_arm(9900, 99))


def test_a_healthy_operation_is_healthy_by_every_guardrail():
    found = judged(watched(FINE, FINE))

    assert {each: outcome(found[each]) for each in found} == {
        "a_a": HEALTHY,
        "errors_vs_baseline": HEALTHY,
        "latency_vs_baseline": HEALTHY,
        "max_error_rate": HEALTHY,
        "max_latency_p99": HEALTHY,
        "min_samples": HEALTHY,
    }


def test_what_half_of_all_harmless_candidates_look_like_is_no_evidence():
    def told(one_in: float) -> str:
        sample = watched(FINE)
        held = Wealth((math.log(one_in),), 1000)
        return judged(replace(sample, evidence=replace(sample.evidence, errors=held)))["errors_vs_baseline"].sentence

    assert told(1.5).endswith("at the same time; no evidence against it")
    assert "at the same time; evidence 1 in 2." in told(2.1)
    assert told(2.1).endswith(", limit 1 in 100")


def test_a_candidate_that_fails_more_than_the_baseline_is_unhealthy_and_the_sentence_says_who_and_how_often():
    finding = judged(watched(FAILING))["errors_vs_baseline"]

    assert outcome(finding) == TAKEN_BACK
    assert finding.sentence.startswith("echo: snakepit failed for 60 of 100 keys, python_pool_v2 for 50 of 9\u202f900 ")
    assert finding.sentence.endswith("limit 1 in 100")
    assert finding.numbers["candidate_bad_keys"] == 60


def test_a_candidate_that_is_slower_than_the_baseline_is_unhealthy_and_the_sentence_says_how_slow():
    finding = judged(watched(FINE, SLOW, SLOW, SLOW))["latency_vs_baseline"]

    assert outcome(finding) == TAKEN_BACK
    assert "snakepit answers within 3.16\u202fs (p99), python_pool_v2 within 20.7\u202fms" in finding.sentence


def test_two_bad_keys_are_a_story_about_two_keys():
    seen = replace(watched(FAILING).evidence, candidate_bad_keys=2)

    finding = judged(a_sample(seen))["errors_vs_baseline"]

    assert finding.verdict is not Verdict.UNHEALTHY
    assert finding.sentence.endswith("limit 1 in 100, but of fewer than 3 keys: suspicious")


def test_evidence_that_does_not_convince_yet_is_suspicious_and_holds():
    weak = Wealth((SUSPICIOUS + 0.1,), 1000)
    sample = watched(FINE)
    sample = replace(sample, evidence=replace(sample.evidence, errors=weak, candidate_bad_keys=5))

    finding = judged(sample)["errors_vs_baseline"]

    assert outcome(finding) == HELD
    assert finding.sentence.endswith(": suspicious")


def test_one_operation_alone_convinces_only_if_the_flag_as_a_whole_does():
    finding = judged(watched(FAILING), overall=math.log(99))["errors_vs_baseline"]

    assert outcome(finding) == HELD
    assert finding.sentence.endswith("limit 1 in 100, but 1 in 99 beside what else of the flag is compared: suspicious")


def test_alpha_belongs_to_the_flag_so_operations_share_it():
    bad, good = watched(FAILING).evidence, watched(FINE).evidence

    assert flag_evidence([bad]) > flag_evidence([bad, good]) > flag_evidence([bad, good, good])
    assert flag_evidence([]) == 0.0


@pytest.mark.parametrize("operations", [1, 2, 5])
def test_row_29_90_percent_errors_take_back_within_one_bucket_of_100_keys(operations):
    outage = watched(a_bucket(an_arm(100, 90), an_arm(9900, 10)))
    overall = flag_evidence([outage.evidence, *[watched(FINE).evidence] * (operations - 1)])

    assert outcome(judged(outage, overall=overall)["errors_vs_baseline"]) == TAKEN_BACK


@pytest.mark.parametrize(
    ("on_breach", "consequence"),
    [
        (OnBreach.ROLLBACK, Consequence.ROLL_BACK),
        (OnBreach.HOLD, Consequence.HOLD),
        (OnBreach.REPORT, Consequence.REPORT),
    ],
)
def test_what_a_breach_does_is_the_flags_own_choice(on_breach, consequence):
    limits = replace(LIMITS, on_breach=on_breach)
    found = judged(watched(FAILING, limits=limits), limits)

    assert outcome(found["errors_vs_baseline"]) == (Verdict.UNHEALTHY, consequence)
    assert outcome(found["max_error_rate"]) == (Verdict.UNHEALTHY, consequence)


def test_a_broken_limit_that_the_comparison_supports_is_a_breach():
    finding = judged(watched(FAILING))["max_error_rate"]

    assert outcome(finding) == TAKEN_BACK
    said = "echo: 60\u202f% of calls to snakepit fail, limit 5\u202f%; above it of late, evidence 1 in "
    assert finding.sentence.startswith(said)
    assert finding.numbers["value"] == 0.6


def test_row_30_a_broken_latency_limit_is_supported_by_the_comparison_of_latency():
    finding = judged(watched(FINE, SLOW, SLOW, SLOW))["max_latency_p99"]

    assert outcome(finding) == TAKEN_BACK
    assert finding.sentence.startswith(
        "echo: p99 of snakepit is 3.16\u202fs, limit 1\u202fs; above it of late, evidence 1 in "
    )


def test_limits_share_their_part_of_alpha_among_all_of_them():
    alone, both = replace(LIMITS, compare=None), replace(LIMITS, max_latency_ms={})

    def limit(limits, **changes):
        return math.exp(judged(watched(FINE, limits=limits, **changes), limits)["max_error_rate"].numbers["log_limit"])

    assert limit(LIMITS) == pytest.approx(2 * 100 / 0.03)
    assert limit(both) == pytest.approx(100 / 0.03)
    assert limit(alone) == pytest.approx(2 * 100)
    assert limit(both, operations=3) == pytest.approx(3 * 100 / 0.03)


def test_the_comparison_supports_a_limit_only_as_far_as_the_flag_does():
    finding = judged(watched(FAILING), overall=math.log(19))["max_error_rate"]

    assert outcome(finding) == HELD


def test_an_operation_that_is_broken_does_not_speak_for_one_that_is_well():
    bad, good = watched(FAILING).evidence, watched(FINE).evidence

    shared = shared_evidence({"echo": bad, "predict": good})

    assert shared["echo"] > math.log(100)
    assert shared["predict"] < 0


def test_a_limit_broken_on_both_sides_holds_because_going_back_would_not_help():
    incident = a_bucket(an_arm(100, 50), an_arm(9900, 4950))

    found = judged(watched(incident))

    assert outcome(found["max_error_rate"]) == HELD
    assert found["max_error_rate"].sentence.endswith("python_pool_v2 shows no difference, so going back would not help")
    assert outcome(found["errors_vs_baseline"]) == HEALTHY


def test_an_incident_of_both_sides_that_is_over_does_not_hold_for_longer_than_it_lasted():
    incident, over = a_bucket(an_arm(1000, 900), an_arm(9000, 8100)), a_bucket(an_arm(1000), an_arm(9000))

    assert outcome(judged(watched(*[incident] * 60))["max_error_rate"]) == HELD
    assert outcome(judged(watched(*[incident] * 60, *[over] * 10))["max_error_rate"]) == HEALTHY


def test_a_stage_just_entered_is_judged_by_what_the_attempt_has_shown():
    incident = a_bucket(an_arm(100, 50), an_arm(9900, 4950))

    entered = watched(incident, share=10_000)

    assert outcome(judged(entered)["max_error_rate"]) == HELD
    assert outcome(judged(watched(FAILING, share=10_000))["errors_vs_baseline"]) == TAKEN_BACK


def test_with_no_control_left_the_limit_alone_decides_and_says_so():
    everything = a_bucket(an_arm(1000, 500), an_arm(0), share=FULL)

    found = judged(watched(everything, share=FULL))

    assert outcome(found["max_error_rate"]) == TAKEN_BACK
    assert found["max_error_rate"].sentence.endswith("; there is nothing to compare it with")
    assert "errors_vs_baseline" not in found


def test_without_comparison_the_limit_alone_decides():
    limits = replace(LIMITS, compare=None)

    found = judged(watched(FAILING, limits=limits), limits)

    assert outcome(found["max_error_rate"]) == TAKEN_BACK
    assert "errors_vs_baseline" not in found


def test_what_only_a_rule_exposes_is_taken_back_by_the_limit_alone():
    by_rule = replace(a_bucket(an_arm(0), an_arm(1000), share=0), candidate=an_arm(0, calls=200, bad=150))

    found = judged(watched(by_rule, share=0))

    assert outcome(found["max_error_rate"]) == TAKEN_BACK
    assert "errors_vs_baseline" not in found


def test_no_calls_break_no_limit():
    found = judged(a_sample(candidate=an_arm(0), baseline=an_arm(0)))

    assert outcome(found["max_error_rate"]) == HEALTHY
    assert found["max_error_rate"].sentence == "echo: no calls to snakepit of late, limit 5\u202f%"
    assert found["max_latency_p99"].sentence == "echo: p99 of snakepit is not known, limit 1\u202fs"
    silent = found["latency_vs_baseline"].sentence
    assert silent.startswith("echo: no call to snakepit and python_pool_v2 was answered of late; ")


def test_a_stricter_alpha_needs_stronger_evidence():
    seen = watched(a_bucket(an_arm(100, 15), an_arm(9900, 50)), limits=COMPARED)
    strict = replace(COMPARED, compare=Compare(alpha=1e-9))

    assert outcome(judged(seen, COMPARED)["errors_vs_baseline"]) == TAKEN_BACK
    assert outcome(judged(seen, strict)["errors_vs_baseline"]) == HELD


def test_counts_beyond_reason_are_judged_like_others():
    lie = a_bucket(an_arm(10**9, 10**9, milliseconds=600_000.0), an_arm(10**9))

    found = judged(watched(lie, lie, lie))

    assert outcome(found["errors_vs_baseline"]) == TAKEN_BACK
    assert all(math.isfinite(each.numbers.get("log_evidence") or 0.0) for each in found.values())


def test_nothing_judged_is_inconclusive_never_healthy():
    assert worst([]) is Verdict.INCONCLUSIVE


def test_the_worst_finding_speaks_for_all():
    findings: list[Finding] = [a_finding(), a_finding(Consequence.HOLD)]

    assert worst(findings) is Verdict.INCONCLUSIVE
    assert worst([*findings, a_finding(Consequence.ROLL_BACK)]) is Verdict.UNHEALTHY
