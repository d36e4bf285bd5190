from dataclasses import replace

import pytest

from controlplane.domain.assignment import Assignment, Turnout
from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.guardrails import Guardrails, OnSilence, Silence
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.share import FULL
from controlplane.domain.silence import silence
from tests.builders import a_bucket, a_sample, an_arm

CONSEQUENCES = {
    OnSilence.HOLD: Consequence.HOLD,
    OnSilence.ROLLBACK: Consequence.ROLL_BACK,
    OnSilence.IGNORE: Consequence.NONE,
}
FEW = Evidence(keys_at={1000: (5000, 99)}, baseline_keys=5000, candidate_keys=99, newest=0)
ONE_SIDED = Evidence(keys_at={1000: (9900, 100)}, missed_candidate=20.2, newest=0)
KINDS = {
    "no_telemetry": a_sample(silent_seconds=181.0),
    "min_samples": a_sample(FEW, baked=True),
    "one_side": a_sample(ONE_SIDED),
}
SETTING = {"no_telemetry": "no_telemetry", "min_samples": "too_few", "one_side": "one_side"}


def heard(sample, **settings):
    (finding,) = silence(Guardrails(min_samples=100, on_silence=Silence(**settings)), sample)
    return finding


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", OnSilence)
def test_each_kind_of_silence_has_its_own_setting(kind, setting):
    finding = heard(KINDS[kind], **{SETTING[kind]: setting})

    assert finding.guardrail == kind
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.consequence is CONSEQUENCES[setting]


@pytest.mark.parametrize("kind", KINDS)
def test_by_default_silence_holds(kind):
    assert heard(KINDS[kind]).consequence is Consequence.HOLD


def test_enough_samples_of_late_are_healthy():
    finding = heard(a_sample())

    assert (finding.verdict, finding.consequence) == (Verdict.HEALTHY, Consequence.NONE)
    assert finding.sentence == "echo: 1\u202f000 samples of snakepit at this share"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("no_telemetry", "echo: the last report is 3.02\u202fmin old"),
        ("min_samples", "echo: 99 of 100 samples of snakepit at this share"),
        ("one_side", "echo: no calls to snakepit are reported"),
    ],
)
def test_the_sentence_says_what_is_missing(kind, sentence):
    assert heard(KINDS[kind]).sentence == sentence


def test_an_attempt_that_just_began_is_not_silent_yet():
    finding = heard(a_sample(Evidence(), silent_seconds=None, exposed_seconds=30.0), no_telemetry=OnSilence.ROLLBACK)

    assert finding.guardrail == "min_samples"
    assert finding.consequence is Consequence.HOLD


def test_an_attempt_that_was_never_heard_of_is_silent_in_the_end():
    finding = heard(a_sample(Evidence(), silent_seconds=None, exposed_seconds=181.0))

    assert finding.guardrail == "no_telemetry"
    assert finding.sentence == "echo: no report has arrived in this attempt"


def test_nothing_heard_is_never_enough_even_where_no_sample_is_asked_for():
    (finding,) = silence(Guardrails(min_samples=0), a_sample(Evidence(), silent_seconds=None))

    assert finding.verdict is Verdict.INCONCLUSIVE


def test_calls_of_the_stage_before_are_not_said_to_be_drawn_by_no_share():
    begun, undrawn = a_sample(share=10_000), a_sample(Evidence(newest=0))

    assert heard(begun).sentence == "echo: 0 of 100 samples of snakepit at this share"
    assert heard(undrawn).sentence.endswith("calls that no share drew count for limits alone")


def test_too_few_samples_are_a_reason_to_go_back_only_when_the_stage_is_over():
    settings = {"too_few": OnSilence.ROLLBACK}

    assert heard(a_sample(FEW, baked=False), **settings).consequence is Consequence.HOLD
    assert heard(a_sample(FEW, baked=True), **settings).consequence is Consequence.ROLL_BACK


def test_samples_of_another_share_do_not_count_for_this_stage():
    assert heard(a_sample(share=10_000)).guardrail == "min_samples"


def test_a_baseline_that_sends_nothing_is_missed():
    seen = Evidence(keys_at={50_000: (500, 500)}, missed_baseline=100.0, newest=0)

    finding = heard(a_sample(seen, share=50_000))

    assert finding.sentence == "echo: no calls to python_pool_v2 are reported"


def test_nobody_misses_a_side_that_could_not_be_expected_yet():
    """At 1 %, 900 keys of the baseline go with 9 of the candidate: their absence still happens by chance."""
    seen = Evidence(keys_at={1000: (900, 200)}, missed_candidate=9.1, newest=0)

    assert heard(a_sample(seen)).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("share", [0, FULL])
def test_a_side_that_the_share_leaves_out_is_not_missed(share):
    seen = Evidence(keys_at={share: (5000, 5000)}, newest=0)
    one_sided = {0: {"missed_candidate": 50.0}, FULL: {"missed_baseline": 50.0}}[share]

    finding = heard(a_sample(Evidence(keys_at=seen.keys_at, newest=0, **one_sided), share=share))

    assert finding.guardrail == "min_samples"


def test_keys_of_an_earlier_share_are_weighed_with_that_share():
    """Just after 1 % → 10 %: what the baseline was sent at 1 % promised few keys to the candidate."""
    before = Evidence(assignments={1000: Assignment(candidate=Turnout(keys=1))})
    seen = gather(before, a_bucket(an_arm(0), an_arm(900), share=1000), Guardrails())

    assert seen.missed_candidate == pytest.approx(900 / 99)
    assert heard(a_sample(replace(seen, keys_at={10_000: (500, 500)}), share=10_000)).verdict is Verdict.HEALTHY
