"""Judging: from the stored buckets of one flag to its findings. Reads, decides nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.flag import Flag, Side
from controlplane.domain.health import flag_evidence, judge
from controlplane.domain.observation import Arm, Bucket, Evidence, Stratum, gather, total
from controlplane.domain.rollout import State
from controlplane.domain.routing import SHADOW_CALL
from controlplane.domain.sample import Sample
from controlplane.domain.snapshot import Clockwork
from controlplane.store import UnitOfWork
from controlplane.store.environments import Environment
from controlplane.store.reports import Place
from controlplane.store.watches import Watch

Cells = Sequence[tuple[Place, Arm]]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a flag has shown; `overall` is ln of the flag's evidence."""

    watch: Watch
    findings: tuple[Finding, ...]
    overall: float


def sealed_until(now: datetime, clockwork: Clockwork) -> int:
    """Buckets that start before this instant have had time to answer and to be reported."""
    length = clockwork.bucket_seconds
    return int((now.timestamp() - clockwork.seal_seconds) // length) * length


def look_at(uow: UnitOfWork, environment: Environment, flag: Flag, now: datetime, clockwork: Clockwork) -> Look:
    """Gather the evidence of newly sealed buckets and judge every exposed operation."""
    until = sealed_until(now, clockwork)
    watch = _watch(uow, environment, flag, until, now)
    exposed = flag.exposed_operations if flag.guardrails else ()
    unexposed = tuple(_unexposed(flag))
    if not exposed:
        return Look(replace(watch, judged_until=max(until, watch.judged_until), findings=unexposed), unexposed, 0.0)
    widest = max(limits.window_seconds for name in exposed if (limits := flag.guardrails_of(name)))
    first = min(watch.judged_until, until - widest)
    cells = [each for each in uow.buckets.between(environment.id, flag.key, first, until) if is_served(each[0])]
    watch = _gathered(flag, watch, cells, until)
    samples = [_sample(flag, name, watch, cells, until, now) for name in exposed]
    overall = flag_evidence(samples)
    findings = unexposed + tuple(
        finding
        for sample in samples
        if (limits := flag.guardrails_of(sample.operation))
        for finding in judge(limits, sample, overall)
    )
    return Look(replace(watch, findings=findings), findings, overall)


def is_served(place: Place) -> bool:
    """A user waited for it: a shadow that fails, or is slow, hurts nobody and proves nothing about an outage."""
    return place.assigned_by != SHADOW_CALL


def _unexposed(flag: Flag) -> Iterator[Finding]:
    """A rollout that sends nobody to the candidate learns nothing, so time alone must not move it on."""
    if not flag.rollout.is_live or set(flag.planned_operations) & set(flag.exposed_operations):
        return
    why = "every operation of the plan is rolled back" if flag.enabled else "the flag is disabled"
    yield Finding("", "exposure", Verdict.INCONCLUSIVE, f"{why}: nobody is sent to {flag.candidate}", Consequence.HOLD)


def _watch(uow: UnitOfWork, environment: Environment, flag: Flag, until: int, now: datetime) -> Watch:
    """A new attempt starts with nothing but the baseline's history, which edges of latency are taken from."""
    watch = uow.watches.get(environment.id, flag.key)
    if watch and watch.attempt == flag.rollout.attempt:
        return watch
    opened = flag.rollout.entered_at or flag.updated_at or now
    kept = {name: Evidence(history=seen.history) for name, seen in watch.evidence.items()} if watch else {}
    first = min(until, int(opened.timestamp()))
    return Watch(flag.key, flag.rollout.attempt, first - first % 60, now, evidence=kept)


def _gathered(flag: Flag, watch: Watch, cells: Cells, until: int) -> Watch:
    evidence = dict(watch.evidence)
    new = [cell for cell in cells if _counts(cell[0], watch)]
    for name in flag.operations:
        limits = flag.guardrails_of(name)
        if limits is None:
            continue
        seen = evidence.get(name, Evidence())
        for bucket in _buckets([cell for cell in new if cell[0].operation == name]):
            seen = gather(seen, bucket, limits)
        evidence[name] = seen
    return replace(watch, evidence=evidence, judged_until=max(until, watch.judged_until))


def _counts(place: Place, watch: Watch) -> bool:
    return place.start >= watch.judged_until and place.attempt == watch.attempt and not place.late


def _buckets(cells: Cells) -> Iterable[Bucket]:
    by_start: dict[int, list[tuple[Place, Arm]]] = {}
    for place, arm in cells:
        by_start.setdefault(place.start, []).append((place, arm))
    for start in sorted(by_start):
        yield _bucket(start, by_start[start])


def _bucket(start: int, cells: Cells) -> Bucket:
    shares = sorted({place.share for place, _ in cells if place.assigned_by == "share"})
    strata = tuple(
        Stratum(share, _of(cells, Side.BASELINE, share), _of(cells, Side.CANDIDATE, share)) for share in shares
    )
    return Bucket(start, strata, both(cells, Side.BASELINE), both(cells, Side.CANDIDATE))


def _of(cells: Cells, side: Side, share: int) -> Arm:
    """What the share assigned; rules, overrides and fallbacks were not drawn at random and stay out."""
    return total([a for p, a in cells if p.side is side and p.share == share and p.assigned_by == "share"])


def both(cells: Cells, side: Side) -> Arm:
    """Everything one side was sent, whoever assigned it."""
    return total([arm for place, arm in cells if place.side is side])


def _sample(  # everything one look needs of one operation
    flag: Flag, name: str, watch: Watch, cells: Cells, until: int, now: datetime
) -> Sample:
    limits = flag.guardrails_of(name)
    window = until - (limits.window_seconds if limits else 60)
    recent = [cell for cell in cells if cell[0].operation == name and cell[0].start >= window]
    seen = watch.evidence.get(name, Evidence())
    return Sample(
        operation=name,
        baseline_name=flag.baseline,
        candidate_name=flag.candidate,
        share=flag.operations[name].share,
        baseline=both(recent, Side.BASELINE),
        candidate=both(recent, Side.CANDIDATE),
        evidence=seen,
        silent_seconds=None if seen.newest is None else max(0.0, now.timestamp() - seen.newest),
        exposed_seconds=_exposed_seconds(flag, now),
        baked=_has_baked(flag, now),
    )


def _exposed_seconds(flag: Flag, now: datetime) -> float:
    since = flag.rollout.entered_at if flag.rollout.is_live else flag.updated_at
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _has_baked(flag: Flag, now: datetime) -> bool:
    due = flag.rollout.bakes_until(flag.plan) if flag.plan and flag.rollout.state is State.RUNNING else None
    return due is not None and now >= due


def numbers_of(look: Look) -> Mapping[str, object]:
    """The decision record: what an automatic change was decided on, enough to see why."""
    return {
        "log_evidence": look.overall,
        "attempt": look.watch.attempt,
        "judged_until": look.watch.judged_until,
        "findings": [
            {
                "operation": finding.operation,
                "guardrail": finding.guardrail,
                "verdict": finding.verdict.value,
                "sentence": finding.sentence,
                "numbers": dict(finding.numbers),
            }
            for finding in look.findings
        ],
    }
