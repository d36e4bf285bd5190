"""Judging: from the stored buckets of one flag to its findings. Reads, decides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from controlplane.domain.bucket import Bucket
from controlplane.domain.checklist import unfinished
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.flag import Flag
from controlplane.domain.health import flag_evidence, judge, shared_evidence
from controlplane.domain.ledger import Ledger, noted
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.record import Grounds
from controlplane.domain.rollout import Decision
from controlplane.domain.shadowing import judge_pairs
from controlplane.domain.snapshot import Clockwork
from controlplane.store.cells import Cells, Place
from controlplane.store.checkpoints import Checkpoint
from controlplane.store.environments import Environment
from controlplane.store.watches import Watch
from controlplane.usecases.buckets import buckets_of, is_served, sealed_until
from controlplane.usecases.opening import due, opened
from controlplane.usecases.pairing import floors_of, gathered_pairs
from controlplane.usecases.sampling import Instant, samples_of
from controlplane.usecases.surveying import Reads, is_current


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a flag has shown; `overall` is ln of the flag's evidence.

    `checkpoint` is one that is due: it must be saved with the watch.
    """

    watch: Watch
    findings: tuple[Finding, ...]
    overall: float
    checkpoint: Checkpoint | None = None


def look_at(uow: Reads, environment: Environment, flag: Flag, now: datetime, clockwork: Clockwork) -> Look:
    """Gather the evidence of newly sealed buckets and judge every exposed operation."""
    until = sealed_until(now, clockwork)
    kept = uow.watches.get(environment.id, flag.key)
    if kept and is_current(kept, flag, until):
        return Look(kept, kept.findings, _overall(flag, kept))
    current = (
        kept if kept and kept.attempt == flag.rollout.attempt else opened(uow, environment, flag, kept, until, now)
    )
    watch = _heard_by(current, flag, uow.instances.number(environment.id))
    first = min(watch.judged_until, until - widest_window(flag))
    cells = uow.buckets.between(environment.id, flag.key, first, until)
    checkpoint = due(flag, watch)
    watch = replace(watch, version=flag.version, checkpoint=checkpoint.start if checkpoint else watch.checkpoint)
    new = [cell for cell in cells if is_served(cell[0]) and _counts(cell[0], watch)]
    watch = replace(watch, pairs=gathered_pairs(flag, watch.pairs, new))
    look = look_over(flag, watch, cells, Instant(now, until, clockwork.seal_seconds + 2 * clockwork.bucket_seconds))
    findings = (*look.findings, *judge_pairs(flag, watch.pairs, floors_of(uow, environment.id, flag)))
    return Look(replace(look.watch, findings=findings), findings, look.overall, checkpoint)


def _overall(flag: Flag, watch: Watch) -> float:
    return flag_evidence(list(attempted(flag, watch.evidence).values()))


def attempted(flag: Flag, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """What is known of the operations that share α."""
    names = flag.attempted_operations if flag.guardrails else ()
    return {name: evidence.get(name, Evidence()) for name in names}


def look_over(flag: Flag, watch: Watch, cells: Cells, at: Instant) -> Look:
    """What `cells` add to a watch, and what is to be said of it. Pure: no clock, no database.

    `cells` reach from the watch's `judged_until` or the start of the widest window, whichever is earlier, to `until`.
    Operations that nobody is sent to the candidate in are gathered as well, and not judged.
    """
    served = [each for each in cells if is_served(each[0])]
    watch = _gathered(flag, watch, served, at.until)
    known = attempted(flag, watch.evidence)
    shared = shared_evidence(known)
    judged = (
        finding
        for limits, sample in samples_of(flag, watch, served, at)
        for finding in judge(limits, sample, shared[sample.operation])
    )
    open_items = unfinished(flag.blocked_by, live=flag.rollout.is_live)
    findings = (*_unexposed(flag), *open_items, *judged)
    return Look(replace(watch, findings=findings), findings, flag_evidence(list(known.values())))


def widest_window(flag: Flag) -> int:
    """Seconds that the widest window of an operation reaches back."""
    limits = (flag.guardrails_of(name) for name in flag.operations)
    return max((each.window_seconds for each in limits if each), default=0)


def _unexposed(flag: Flag) -> Iterator[Finding]:
    """A rollout that sends no call to the candidate learns nothing, so time alone must not move it on."""
    reached = {*flag.exposed_operations, *flag.rehearsed_operations}
    if not flag.rollout.is_live or set(flag.planned_operations) & reached:
        return
    why = "every operation of the plan is rolled back" if flag.enabled else "the flag is disabled"
    yield Finding("", "exposure", Verdict.INCONCLUSIVE, f"{why}: nobody is sent to {flag.candidate}", Consequence.HOLD)


def _heard_by(watch: Watch, flag: Flag, processes: int) -> Watch:
    """Each process may count a key once: as many as there ever were in this attempt."""
    heard = {name: watch.evidence.get(name, Evidence()) for name in flag.operations} if flag.guardrails else {}
    evidence = {
        name: replace(seen, processes=processes) if processes > seen.processes else seen
        for name, seen in {**watch.evidence, **heard}.items()
    }
    return replace(watch, evidence=evidence)


def _gathered(flag: Flag, watch: Watch, cells: Cells, until: int) -> Watch:
    guarded = flag.operations if flag.guardrails else ()
    evidence, ledgers = {name: Evidence() for name in guarded} | dict(watch.evidence), dict(watch.ledgers)
    for buckets in buckets_of([cell for cell in cells if _counts(cell[0], watch)]):
        put_in(flag, buckets, evidence, ledgers)
    return replace(watch, evidence=evidence, ledgers=ledgers, judged_until=max(until, watch.judged_until))


def put_in(
    flag: Flag, buckets: Mapping[str, Bucket], evidence: dict[str, Evidence], ledgers: dict[str, Ledger]
) -> None:
    """Add the sealed buckets of one start to what is known of each operation; nothing where the flag guards none."""
    sharing = len(flag.attempted_operations)
    for name, bucket in buckets.items():
        limits = flag.guardrails_of(name) if name in flag.operations else None
        if limits is None:
            continue
        seen = evidence.get(name, Evidence())
        seen = replace(seen, operations=sharing) if sharing > seen.operations else seen
        evidence[name] = gather(seen, bucket, limits)
        ledgers[name] = noted(ledgers.get(name, Ledger()), bucket)


def _counts(place: Place, watch: Watch) -> bool:
    return place.start >= watch.judged_until and place.attempt == watch.attempt and not place.late


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
