"""What does the whole decision do? Buckets through gather, judge and next_step, as the scheduler carries them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from bench.health.draws import binomial
from bench.health.latencies import Speed, before, histogram_of
from bench.health.traffic import CHECK_SECONDS, Course, Moment, counted
from controlplane.domain.arm import Arm, total
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.health import flag_evidence, judge
from controlplane.domain.histogram import Histogram
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Rollout, State, Step, entered, next_step
from controlplane.domain.sample import Sample
from controlplane.domain.share import FULL

BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def guarded(*, tolerant: bool, design_effect: float) -> Guardrails:
    """The default guardrails, or those that tolerate nothing, at a design effect."""
    compare = Compare() if tolerant else Compare(error_rate_ratio=1.0, error_rate_margin=0.0, latency_ratio=1.0)
    return Guardrails(compare=compare, design_effect=design_effect)


STRICT = guarded(tolerant=False, design_effect=1.0)
BY_CALL = guarded(tolerant=True, design_effect=1.0)
DEFAULT = guarded(tolerant=True, design_effect=DESIGN_EFFECT)


@dataclass(frozen=True, slots=True)
class Sides:
    """How fast both sides answer; without them no latency is reported."""

    baseline: Speed
    candidate: Speed
    tolerance: int


def bucket_of(random: Random, check: int, moments: Sequence[Moment], sides: Sides | None = None) -> Bucket:
    strata = tuple(_stratum(random, moment, sides) for moment in moments)
    return Bucket(
        check * CHECK_SECONDS,
        strata,
        total([each.baseline for each in strata]),
        total([each.candidate for each in strata]),
    )


def _stratum(random: Random, moment: Moment, sides: Sides | None) -> Stratum:
    if sides:
        return timed_stratum(random, moment, sides)
    pair = counted(random, moment)
    return Stratum(
        round(moment.share * FULL),
        _arm(pair.baseline, pair.baseline_bad, {}, {}),
        _arm(pair.candidate, pair.candidate_bad, {}, {}),
    )


def timed_stratum(random: Random, moment: Moment, sides: Sides) -> Stratum:
    """Each call is a key of its own, so its slowest call is its only one, and every key is new."""
    usual = histogram_of(random, sides.baseline, moment.calls * (1 - moment.share))
    times = histogram_of(random, sides.candidate, moment.calls * moment.share)
    lowered = {index - sides.tolerance: count for index, count in times.items()}
    theirs, ours = sum(usual.values()), sum(times.values())
    return Stratum(
        round(moment.share * FULL),
        _arm(theirs, binomial(random, theirs, moment.baseline_rate), usual, usual),
        _arm(ours, binomial(random, ours, moment.candidate_rate), times, lowered),
    )


def _arm(calls: int, bad: int, latency: dict[int, int], rise: dict[int, int]) -> Arm:
    return Arm(calls=calls, bad=bad, latency=latency, keys=calls, bad_keys=bad, key_latency=latency, rise_to=rise)


class Attempt:
    """One operation under judgement, from its first bucket on; with a plan it advances by itself."""

    def __init__(
        self, guardrails: Guardrails = DEFAULT, plan: Plan | None = None, history: Histogram | None = None
    ) -> None:
        self.guardrails, self.plan = guardrails, plan
        self.seen, self.checks, self.because = Evidence(history=history or {}), 0, ""
        self.rollout = entered(Rollout(attempt=1), 0, BEGIN) if plan else Rollout(attempt=1)

    @property
    def share(self) -> float:
        return self.plan.stage(self.rollout.stage).share / FULL if self.plan else 0.0

    @property
    def is_over(self) -> bool:
        return self.rollout.state is State.COMPLETED

    def see(self, bucket: Bucket) -> Step:
        """The step that this bucket leads to; an advance is carried out."""
        self.checks += 1
        now = BEGIN + timedelta(seconds=CHECK_SECONDS * self.checks)
        self.seen = gather(self.seen, bucket, self.guardrails)
        sample = self._sample(bucket, now)
        findings = judge(self.guardrails, sample, flag_evidence([self.seen]))
        decision = next_step(self.plan, self.rollout, findings, now)
        step, self.because = decision.step, decision.finding.guardrail if decision.finding else ""
        if step is Step.ADVANCE:
            self.rollout = entered(self.rollout, self.rollout.stage + 1, now)
        return step

    def _sample(self, bucket: Bucket, now: datetime) -> Sample:
        due = self.rollout.bakes_until(self.plan) if self.plan else None
        return Sample(
            operation="predict",
            baseline_name="baseline",
            candidate_name="candidate",
            share=round(self.share * FULL) or bucket.strata[0].share,
            baseline=bucket.baseline,
            candidate=bucket.candidate,
            evidence=self.seen,
            silent_seconds=float(CHECK_SECONDS),
            exposed_seconds=CHECK_SECONDS * float(self.checks),
            baked=due is not None and now >= due,
        )


def first_rollback(
    random: Random, course: Course, checks: int, guardrails: Guardrails, sides: Sides | None = None
) -> int | None:
    """The check at which an attempt without a plan is rolled back."""
    history = before(random, sum(each.calls for each in course(1))) if sides else None
    attempt = Attempt(guardrails, history=history)
    for check in range(1, checks + 1):
        if attempt.see(bucket_of(random, check, course(check), sides)) is Step.ROLL_BACK:
            return check
    return None
