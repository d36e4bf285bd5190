"""Judging: from the stored buckets of one flag to its findings. Reads, decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from controlplane.domain.checklist import unfinished
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.flag import Flag, Side
from controlplane.domain.health import flag_evidence, judge, shared_evidence
from controlplane.domain.ledger import Ledger, noted
from controlplane.domain.observation import Arm, Bucket, Evidence, Stratum, gather, total
from controlplane.domain.record import Grounds
from controlplane.domain.rollout import Decision, State
from controlplane.domain.routing import SHADOW_CALL, TOLD_AS_METRICS
from controlplane.domain.sample import Sample
from controlplane.domain.shadowing import judge_pairs
from controlplane.domain.snapshot import Clockwork
from controlplane.store.checkpoints import Checkpoint
from controlplane.store.environments import Environment
from controlplane.store.reports import Place
from controlplane.store.watches import Watch
from controlplane.usecases.pairing import floors_of, gathered_pairs
from controlplane.usecases.prechecking import before
from controlplane.usecases.surveying import Reads, is_current

Cells = Sequence[tuple[Place, Arm]]
CHECKPOINT_EVERY = 6 * 3600  # seconds of telemetry: what has to be folded to see the evidence at any instant


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a flag has shown; `overall` is ln of the flag's evidence.

    `checkpoint` is one that is due: it must be saved with the watch.
    """

    watch: Watch
    findings: tuple[Finding, ...]
    overall: float
    checkpoint: Checkpoint | None = None


def sealed_until(now: datetime, clockwork: Clockwork) -> int:
    """Buckets that start before this instant have had time to answer and to be reported."""
    length = clockwork.bucket_seconds
    return int((now.timestamp() - clockwork.seal_seconds) // length) * length


def look_at(uow: Reads, environment: Environment, flag: Flag, now: datetime, clockwork: Clockwork) -> Look:
    """Gather the evidence of newly sealed buckets and judge every exposed operation."""
    until = sealed_until(now, clockwork)
    kept = uow.watches.get(environment.id, flag.key)
    if kept and is_current(kept, flag, until):
        return Look(kept, kept.findings, _overall(flag, kept))
    current = (
        kept if kept and kept.attempt == flag.rollout.attempt else _opened(uow, environment, flag, kept, until, now)
    )
    watch = _heard_by(current, flag, uow.instances.number(environment.id))
    first = min(watch.judged_until, until - widest_window(flag))
    cells = uow.buckets.between(environment.id, flag.key, first, until)
    due = _due(flag, watch)
    watch = replace(watch, version=flag.version, checkpoint=due.start if due else watch.checkpoint)
    sealing = clockwork.seal_seconds + 2 * clockwork.bucket_seconds
    new = [cell for cell in cells if is_served(cell[0]) and _counts(cell[0], watch)]
    watch = replace(watch, pairs=gathered_pairs(flag, watch.pairs, new))
    look = look_over(flag, watch, cells, until, now, sealing)
    findings = (*look.findings, *judge_pairs(flag, watch.pairs, floors_of(uow, environment.id, flag)))
    return Look(replace(look.watch, findings=findings), findings, look.overall, due)


def _overall(flag: Flag, watch: Watch) -> float:
    return flag_evidence(list(attempted(flag, watch.evidence).values()))


def attempted(flag: Flag, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """What is known of the operations that share α."""
    names = flag.attempted_operations if flag.guardrails else ()
    return {name: evidence.get(name, Evidence()) for name in names}


def look_over(flag: Flag, watch: Watch, cells: Cells, until: int, now: datetime, sealing_seconds: float = 40.0) -> Look:
    """What `cells` add to a watch, and what is to be said of it. Pure: no clock, no database.

    `cells` reach from the watch's `judged_until` or the start of the widest window, whichever is earlier, to `until`.
    Operations that nobody is sent to the candidate in are gathered as well, and not judged.
    """
    served = [each for each in cells if is_served(each[0])]
    watch = _gathered(flag, watch, served, until)
    exposed = flag.exposed_operations if flag.guardrails else ()
    own = _by_operation(served)
    samples = [
        replace(_sample(flag, name, watch, own.get(name, ()), until, now), sealing_seconds=sealing_seconds)
        for name in exposed
    ]
    known = attempted(flag, watch.evidence)
    shared = shared_evidence(known)
    judged = (
        finding
        for sample in samples
        if (limits := flag.guardrails_of(sample.operation))
        for finding in judge(limits, sample, shared[sample.operation])
    )
    open_items = unfinished(flag.blocked_by, live=flag.rollout.is_live)
    findings = (*_unexposed(flag), *open_items, *judged)
    return Look(replace(watch, findings=findings), findings, flag_evidence(list(known.values())))


def _by_operation(cells: Cells) -> dict[str, list[tuple[Place, Arm]]]:
    found: dict[str, list[tuple[Place, Arm]]] = {}
    for cell in cells:
        found.setdefault(cell[0].operation, []).append(cell)
    return found


def widest_window(flag: Flag) -> int:
    """Seconds that the widest window of an operation reaches back."""
    limits = (flag.guardrails_of(name) for name in flag.operations)
    return max((each.window_seconds for each in limits if each), default=0)


def is_served(place: Place) -> bool:
    """A user waited for it: a shadow that fails, or is slow, hurts nobody and proves nothing about an outage."""
    return place.assigned_by != SHADOW_CALL


def _unexposed(flag: Flag) -> Iterator[Finding]:
    """A rollout that sends no call to the candidate learns nothing, so time alone must not move it on."""
    reached = {*flag.exposed_operations, *flag.rehearsed_operations}
    if not flag.rollout.is_live or set(flag.planned_operations) & reached:
        return
    why = "every operation of the plan is rolled back" if flag.enabled else "the flag is disabled"
    yield Finding("", "exposure", Verdict.INCONCLUSIVE, f"{why}: nobody is sent to {flag.candidate}", Consequence.HOLD)


def _opened(uow: Reads, environment: Environment, flag: Flag, kept: Watch | None, until: int, now: datetime) -> Watch:
    """A new attempt starts with the pre-check and with the baseline's history, which edges of latency are taken from:
    that of the attempt before, else that of the calls before the first one, so that its first bucket is bet on.
    """
    opened = flag.rollout.entered_at or flag.updated_at or now
    first = min(until, int(opened.timestamp()))
    first -= first % 60
    evidence = {name: Evidence(history=seen.history) for name, seen in kept.evidence.items()} if kept else {}
    for name, known in (before(uow, environment.id, flag, first) if flag.guardrails else {}).items():
        history = evidence.get(name, Evidence()).history or known.history
        check = known.precheck
        evidence[name] = Evidence(history=history, precheck=check, design_effect=check.effect)
    return Watch(flag.key, flag.rollout.attempt, first, now, evidence=evidence)


def _heard_by(watch: Watch, flag: Flag, processes: int) -> Watch:
    """Each process may count a key once: as many as there ever were in this attempt."""
    heard = {name: watch.evidence.get(name, Evidence()) for name in flag.operations} if flag.guardrails else {}
    evidence = {
        name: replace(seen, processes=max(seen.processes, processes))
        for name, seen in {**watch.evidence, **heard}.items()
    }
    return replace(watch, evidence=evidence)


def _due(flag: Flag, watch: Watch) -> Checkpoint | None:
    """A checkpoint where an attempt opens, where the flag is another than it was, and every few hours."""
    same = watch.version == flag.version and watch.checkpoint is not None
    if same and watch.judged_until - (watch.checkpoint or 0) < CHECKPOINT_EVERY:
        return None
    return Checkpoint(flag.key, watch.attempt, watch.judged_until, flag.version, watch.evidence, watch.ledgers)


def _gathered(flag: Flag, watch: Watch, cells: Cells, until: int) -> Watch:
    guarded = (name for name in flag.operations if flag.guardrails_of(name))
    evidence, ledgers = {name: Evidence() for name in guarded} | dict(watch.evidence), dict(watch.ledgers)
    for bucket_of in buckets_of([cell for cell in cells if _counts(cell[0], watch)]):
        for name, bucket in bucket_of.items():
            put_in(flag, name, bucket, evidence, ledgers)
    return replace(watch, evidence=evidence, ledgers=ledgers, judged_until=max(until, watch.judged_until))


def put_in(flag: Flag, name: str, bucket: Bucket, evidence: dict[str, Evidence], ledgers: dict[str, Ledger]) -> None:
    """Add one sealed bucket to what is known of an operation; nothing for one that the flag does not guard."""
    limits = flag.guardrails_of(name) if name in flag.operations else None
    if limits is None:
        return
    seen = evidence.get(name, Evidence())
    seen = replace(seen, operations=max(seen.operations, len(flag.attempted_operations)))
    evidence[name] = gather(seen, bucket, limits)
    ledgers[name] = noted(ledgers.get(name, Ledger()), bucket)


def _counts(place: Place, watch: Watch) -> bool:
    return place.start >= watch.judged_until and place.attempt == watch.attempt and not place.late


def buckets_of(cells: Cells) -> Iterator[dict[str, Bucket]]:
    """Operation → bucket, one dictionary for each start, in the order of time."""
    by_start: dict[int, dict[str, list[tuple[Place, Arm]]]] = {}
    for place, arm in cells:
        by_start.setdefault(place.start, {}).setdefault(place.operation, []).append((place, arm))
    for start in sorted(by_start):
        yield {name: _bucket(start, own) for name, own in by_start[start].items()}


def _bucket(start: int, cells: Cells) -> Bucket:
    metrics = [arm for place, arm in cells if _is_metric(place) and place.side is Side.CANDIDATE]
    cells = [cell for cell in cells if not _is_metric(cell[0])]
    shares = sorted({place.share for place, _ in cells if place.assigned_by == "share"})
    strata = tuple(
        Stratum(share, _of(cells, Side.BASELINE, share), _of(cells, Side.CANDIDATE, share)) for share in shares
    )
    probes = total([arm for place, arm in cells if place.assigned_by == "probe" and place.side is Side.CANDIDATE])
    return Bucket(start, strata, both(cells, Side.BASELINE), both(cells, Side.CANDIDATE), probes, total(metrics))


def _is_metric(place: Place) -> bool:
    return place.assigned_by == TOLD_AS_METRICS


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
    recent = [cell for cell in cells if cell[0].start >= window]
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
        asks_for_proof=_asks_for_proof(flag, name),
        operations=len(flag.attempted_operations),
    )


def _exposed_seconds(flag: Flag, now: datetime) -> float:
    since = flag.rollout.entered_at if flag.rollout.is_live else flag.updated_at
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _asks_for_proof(flag: Flag, name: str) -> bool:
    live = flag.plan and flag.rollout.is_live and name in flag.planned_operations
    return bool(live and flag.plan and flag.plan.stage(flag.rollout.stage).prove)


def _has_baked(flag: Flag, now: datetime) -> bool:
    due = flag.rollout.bakes_until(flag.plan) if flag.plan and flag.rollout.state is State.RUNNING else None
    return due is not None and now >= due


def grounds_of(flag: Flag, decision: Decision, look: Look, clockwork: Clockwork) -> Grounds:
    """What a decision after a look was made of."""
    watch = look.watch
    return Grounds(
        flag=flag,
        decision=decision,
        attempt=watch.attempt,
        judged_until=watch.judged_until,
        bucket_seconds=clockwork.bucket_seconds,
        overall=look.overall,
        findings=look.findings,
        evidence=watch.evidence,
        ledgers=watch.ledgers,
    )
