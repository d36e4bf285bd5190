"""Backtest: stored telemetry of an attempt, judged once more under another policy."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.documents.backtest import BacktestDocument, event_document
from controlplane.documents.decision_record import alpha_numbers
from controlplane.documents.guardrails import guardrails_document
from controlplane.domain.arm import Arm
from controlplane.domain.backtest import Moment, Run, looked
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag import Flag
from controlplane.domain.flag_rules import check
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.observation import Evidence
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store, UnitOfWork
from controlplane.store.cells import Cells
from controlplane.store.reports import Place as CellPlace
from controlplane.store.watches import Watch
from controlplane.usecases.buckets import buckets_of, sealed_until
from controlplane.usecases.changing import Place
from controlplane.usecases.course import Course, series_of
from controlplane.usecases.evidence import attempt_number, end_of
from controlplane.usecases.judging import look_over, widest_window
from controlplane.usecases.lived import as_of, looked_at, versions_of
from controlplane.usecases.replaying import Attempt, Replayed, attempt_cells
from controlplane.usecases.sampling import Instant

MOST_POINTS = 360
MOST_LOOKS = 4000  # beyond them it looks less often than at every bucket
LONGEST = timedelta(hours=24)  # for those who wait for a page
READ_AT_ONCE = 3600  # seconds of rows
GAP = 600  # seconds without a row at the beginning that are worth a word

_Flags = list[tuple[datetime, Flag]]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From where to where, in seconds since the epoch; a look every `step`, a point of the chart every `drawn`."""

    first: int
    until: int
    step: int
    drawn: int


@dataclass(slots=True)
class _Seen:
    """What the looks have come to so far."""

    course: Course
    run: Run = Run()
    first_row: int | None = None


def backtest(
    store: Store,
    place: Place,
    asked: BacktestDocument,
    now: datetime,
    clockwork: Clockwork,
    longest: timedelta | None = LONGEST,
) -> dict[str, Any]:
    """What the policy would have done. Raises NotFound, and InvalidInput with the fields that cannot be accepted.

    Evidence begins at nothing but the baseline's history, as an attempt that opens. Operations keep what they override.

        {"flag", "attempt", "from", "until", "step": seconds between looks, "guardrails": the policy,
         "alpha", "log_limit": ln(1/α), "rolled_back_at": instant or null, "note": a sentence or null,
         "events": [{"at", "kind": suspicious|hold|report|roll_back|advance|complete, "sentence", "operation",
                     "guardrail", "log_evidence", "one_in"}],
         "series": as in `evidence_series`}
    """
    policy = asked.guardrails.to_domain()
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        check(replace(flag, guardrails=policy))
        attempt = Attempt(environment.id, flag.key, attempt_number(flag, asked.attempt))
        stretch = _stretch(uow, attempt, asked, sealed_until(now, clockwork), clockwork, longest)
        seen = _look_back(uow, attempt, stretch, versions_of(uow, environment.id, flag), policy, clockwork)
    over = seen.run.events[-1] if seen.run.over else None
    return {
        "flag": flag.key,
        "attempt": attempt.number,
        "from": _text(stretch.first),
        "until": _text(stretch.until),
        "step": stretch.step,
        "guardrails": guardrails_document(policy),
        **alpha_numbers(policy),
        "rolled_back_at": over.at.isoformat() if over else None,
        "note": _note(attempt, stretch, seen.first_row),
        "events": [event_document(each) for each in seen.run.events],
        "series": series_of(seen.course.end(), stretch.drawn),
    }


def _stretch(
    uow: UnitOfWork,
    attempt: Attempt,
    asked: BacktestDocument,
    sealed: int,
    clockwork: Clockwork,
    longest: timedelta | None,
) -> _Stretch:
    checkpoints = uow.checkpoints.of(attempt.environment_id, attempt.flag, attempt.number)
    bucket = clockwork.bucket_seconds
    end = end_of(uow, attempt, [], sealed)
    until = min(end, _whole(asked.until, bucket)) if asked.until else end
    first = checkpoints[0].start if checkpoints else max(0, until - int(LONGEST.total_seconds()))
    first = max(first, _whole(asked.since, bucket)) if asked.since else first
    if first >= until:
        raise InvalidInput((FieldError("since", f"leaves nothing of attempt {attempt.number}: pick an earlier start"),))
    length = until - first
    if longest and length > longest.total_seconds():
        hours = int(longest.total_seconds() // 3600)
        message = f"reaches over {length // 3600} hours, at most {hours} are looked at here: pick a later start"
        raise InvalidInput((FieldError("since", message),))
    step = bucket * max(1, -(-length // (bucket * MOST_LOOKS)))
    return _Stretch(first, until, step, step * max(1, -(-length // (step * MOST_POINTS))))


def _whole(instant: datetime, bucket: int) -> int:
    return int(instant.timestamp()) // bucket * bucket


def _look_back(
    uow: UnitOfWork, attempt: Attempt, stretch: _Stretch, lived: _Flags, policy: Guardrails, clockwork: Clockwork
) -> _Seen:
    """Every look of the stretch, until the policy takes the candidate back."""
    seen = _Seen(Course(stretch.drawn, stretch.first))
    watch = _opening(uow, attempt, stretch.first)
    sealing = clockwork.seal_seconds + 2 * clockwork.bucket_seconds
    before = None
    for until, cells in _windows(uow, attempt, stretch, policy):
        at = datetime.fromtimestamp(until + clockwork.seal_seconds, UTC)
        flag = as_of(lived, at)
        if flag is None or flag.rollout.attempt != attempt.number:
            continue
        flag = replace(flag, guardrails=policy)
        new = [cell for cell in cells if cell[0].start >= watch.judged_until]
        for each, when in looked_at(before, flag, at):
            look = look_over(each, watch, cells, Instant(when, until, sealing))
            watch = look.watch
            seen.run = looked(seen.run, Moment(when, each.plan, each.rollout, look.findings, look.overall))
        before = flag
        if new and seen.first_row is None:
            seen.first_row = new[0][0].start
        for buckets in buckets_of(new):
            start = next(iter(buckets.values())).start
            seen.course.add(Replayed(start + 1, flag, None, watch.evidence, watch.ledgers, buckets, opens=False))
        if seen.run.over:
            break
    return seen


def _opening(uow: UnitOfWork, attempt: Attempt, first: int) -> Watch:
    """Nothing but the history of the baseline that the attempt had at that instant."""
    known = uow.checkpoints.before(attempt.environment_id, attempt.flag, attempt.number, first)
    kept = {name: _untested(each) for name, each in known.evidence.items()} if known else {}
    return Watch(attempt.flag, attempt.number, first, datetime.fromtimestamp(first, UTC), evidence=kept)


def _untested(seen: Evidence) -> Evidence:
    return Evidence(
        history=seen.history, design_effect=seen.design_effect, processes=seen.processes, precheck=seen.precheck
    )


def _windows(uow: UnitOfWork, attempt: Attempt, stretch: _Stretch, policy: Guardrails) -> Iterator[tuple[int, Cells]]:
    """(until, cells that a look at that instant needs), read an hour at a time."""
    widest = max(widest_window(uow.flags.get(attempt.environment_id, attempt.flag)), policy.window_seconds)
    window: list[tuple[CellPlace, Arm]] = []
    unread: deque[tuple[CellPlace, Arm]] = deque()
    read = stretch.first
    for until in range(stretch.first + stretch.step, stretch.until + stretch.step, stretch.step):
        until = min(until, stretch.until)  # noqa: PLW2901 - the last look is a short one
        while read < until:
            unread.extend(attempt_cells(uow, attempt, read, min(read + READ_AT_ONCE, stretch.until)))
            read += READ_AT_ONCE
        while unread and unread[0][0].start < until:
            window.append(unread.popleft())
        earliest = until - max(widest, stretch.step)
        window = [cell for cell in window if cell[0].start >= earliest]
        yield until, window


def _note(attempt: Attempt, stretch: _Stretch, first_row: int | None) -> str | None:
    if first_row is None:
        span = f"between {_worded(stretch.first)} and {_worded(stretch.until)}"
        return f"No telemetry of attempt {attempt.number} is kept {span}: pick another stretch."
    if first_row > stretch.first + GAP:
        return f"No telemetry of attempt {attempt.number} is kept before {_worded(first_row)}: pick a later start."
    return None


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _worded(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y %H:%M} UTC"
