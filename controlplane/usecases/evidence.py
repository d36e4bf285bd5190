"""Evidence: what an attempt showed over time, and whether its decisions can be recomputed from the stored rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.documents.decision_record import alpha_numbers
from controlplane.domain.audit import ActorKind, AuditEntry
from controlplane.domain.errors import NotFound
from controlplane.domain.flag import Flag
from controlplane.domain.record import CODE
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import Filter
from controlplane.usecases.buckets import sealed_until
from controlplane.usecases.changing import Place
from controlplane.usecases.course import Course, series_of
from controlplane.usecases.recomputing import recomputed
from controlplane.usecases.replaying import Attempt, Replayed, replay

MOST_POINTS = 360
MOST_ENTRIES = 1000  # of a flag that are looked through for decisions


@dataclass(frozen=True, slots=True)
class Asked:
    """Which attempt (None: the newest), which stretch of it, and which audit entry alone.

    `since` also begins the recomputation at the newest checkpoint before it, which is believed: quick, for a chart.
    """

    attempt: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Seconds since the epoch, and the step of a chart; `thinned`: the attempt began before its rows do."""

    first: int
    until: int
    step: int
    thinned: bool = False


_ALL = Asked()


def evidence_series(
    store: Store, place: Place, now: datetime, clockwork: Clockwork, asked: Asked = _ALL
) -> dict[str, Any]:
    """The evidence of one attempt over time, recomputed, beside the decisions that were taken on it.

    Raises NotFound for a flag, an attempt or an entry that is not there. The shape; logarithms are natural, and the
    instants of `series` are seconds since the epoch:

        {"flag", "attempt", "attempts": [1, 2], "code": "evidence/3", "baseline", "candidate",
         "from": the instant from which on rows were recomputed, or null, "note": a sentence or null,
         "alpha", "log_limit": ln(1/α) of the flag,
         "series": {"step": seconds, "times": [the end of each step], "overall": [ln E of the flag],
                    "operations": {name: {"errors": [ln E], "latency": [ln E], "limits": {guardrail: [ln E]},
                                          "baseline_rate": [bad keys of the step over its keys, or null],
                                          "candidate_rate": [the same], "log_limit": ln(1/α)}}},
         "decisions": [{"entry", "at", "action", "sentence", "judged_until", "rule", "recorded": ln E,
                        "recomputed": ln E or null, "difference": the largest of any ln E, or null,
                        "same": true, false, or null where its rows are gone, "because": a sentence or null,
                        "operations": {name: {metric: {"recorded": ln E, "recomputed": ln E}}}}],
         "same": whether no decision differs}

    Every list of `series` is as long as `times`; what was not there yet is null. Decisions are in the order of time.
    """
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        entries = _decisions(uow, environment.id, flag, asked)
        attempt = Attempt(environment.id, flag.key, _number(flag, entries, asked))
        entries = [each for each in entries if each.record["attempt"] == attempt.number]
        attempts = uow.checkpoints.attempts(environment.id, flag.key)
        stretch = _stretch(uow, attempt, entries, asked, now, clockwork)
        course, decisions, last = _replayed(uow, attempt, entries, stretch, asked)
    return {
        "flag": flag.key,
        "attempt": attempt.number,
        "attempts": sorted({*attempts, attempt.number}),
        "code": CODE,
        "baseline": flag.baseline,
        "candidate": flag.candidate,
        **alpha_numbers(flag.guardrails),
        **_told(attempt, stretch, last, course),
        "series": series_of(course, stretch.step),
        "decisions": decisions,
        "same": all(each["same"] is not False for each in decisions),
    }


def _decisions(uow: UnitOfWork, environment_id: int, flag: Flag, asked: Asked) -> list[AuditEntry]:
    """The scheduler's entries that say what they were decided on, the oldest first."""
    found = uow.audit.newest(environment_id, Filter(flag=flag.key), MOST_ENTRIES)
    entries = [each for each in reversed(found) if each.actor.kind is ActorKind.SCHEDULER and "attempt" in each.record]
    if asked.entry is None:
        return entries
    chosen = [each for each in entries if each.id == asked.entry]
    if not chosen:
        message = f"audit entry {asked.entry} is no decision of the scheduler about '{flag.key}'"
        raise NotFound(message)
    return chosen


def _number(flag: Flag, entries: list[AuditEntry], asked: Asked) -> int:
    return int(entries[0].record["attempt"]) if asked.entry is not None else attempt_number(flag, asked.attempt)


def attempt_number(flag: Flag, asked: int | None) -> int:
    """The attempt that was asked for, or the newest one. Raises NotFound."""
    number = flag.rollout.attempt if asked is None else asked
    if not 0 < number <= flag.rollout.attempt:
        had = f"has had {flag.rollout.attempt}" if flag.rollout.attempt else "has not had any yet"
        message = f"there is no attempt {number} of '{flag.key}': it {had}"
        raise NotFound(message)
    return number


def _stretch(
    uow: UnitOfWork, attempt: Attempt, entries: list[AuditEntry], asked: Asked, now: datetime, clockwork: Clockwork
) -> _Stretch:
    checkpoints = uow.checkpoints.of(attempt.environment_id, attempt.flag, attempt.number)
    begin = checkpoints[0].start if checkpoints else 0
    first = max(begin, int(asked.since.timestamp())) if asked.since else begin
    until = end_of(uow, attempt, entries, sealed_until(now, clockwork))
    until = min(until, int(asked.until.timestamp())) if asked.until else until
    if not first:
        first = min((int(each.at.timestamp()) for each in entries), default=until) - 3600
    bucket = clockwork.bucket_seconds
    step = bucket * max(1, -(-(until - first) // (bucket * MOST_POINTS)))
    return _Stretch(first, until, step, thinned=bool(checkpoints and checkpoints[0].thinned and first == begin))


def end_of(uow: UnitOfWork, attempt: Attempt, entries: Sequence[AuditEntry], sealed: int) -> int:
    """Until when an attempt was judged: by its watch, else by its last decision, else by what came after it."""
    watch = uow.watches.get(attempt.environment_id, attempt.flag)
    if watch and watch.attempt == attempt.number:
        return watch.judged_until
    following = uow.checkpoints.of(attempt.environment_id, attempt.flag, attempt.number + 1)
    latest = [int(each.record["judged_until"]) for each in entries[-1:]]
    return max([*latest, following[0].start if following else sealed])


def _replayed(
    uow: UnitOfWork, attempt: Attempt, entries: list[AuditEntry], stretch: _Stretch, asked: Asked
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Replayed | None]:
    """The points, the decisions, and the last state."""
    course = Course(stretch.step, stretch.first)
    waiting = [each for each in entries if stretch.first <= each.record["judged_until"] <= stretch.until]
    decisions: list[dict[str, Any]] = []
    before: Replayed | None = None
    for state in replay(uow, attempt, stretch.until, since=stretch.first if asked.since else None):
        while waiting and state.until > waiting[0].record["judged_until"]:
            decisions.append(recomputed(waiting.pop(0), before))
        course.add(state)
        before = state
    decisions += [recomputed(each, before) for each in waiting]
    return course.end(), decisions, before


def _told(attempt: Attempt, stretch: _Stretch, last: Replayed | None, points: list[dict[str, Any]]) -> dict[str, Any]:
    """From when on the rows were recomputed, and a sentence where that is not the whole of what was asked for."""
    if last is None or not points:
        return {"from": None, "note": f"No telemetry of attempt {attempt.number} is kept here."}
    if last.since is None:
        return {"from": None, "note": "This attempt has no checkpoint: recomputed from the first row that is kept."}
    began = datetime.fromtimestamp(last.since, UTC)
    if last.since <= stretch.first and not stretch.thinned:
        return {"from": began.isoformat(), "note": None}
    note = f"Recomputed from {began:%Y-%m-%d %H:%M:%S} UTC on; before that the rows are kept as minutes."
    return {"from": began.isoformat(), "note": note}
