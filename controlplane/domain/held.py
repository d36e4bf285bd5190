"""Held: did breakers, affinity and tests keep what they promise, and for how long was it quiet?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controlplane.domain.assignment import Assignments, log_mismatch
from controlplane.domain.attachment import Attachment
from controlplane.domain.criteria import Outcome, Point
from controlplane.domain.share import FULL
from controlplane.domain.words import count, one_in, percent

QUIET = timedelta(days=30)
LEAST_DRAWN = 100  # keys: fewer say nothing about how they are assigned
OUTAGE_CALLS, OUTAGE_RATE = 100, 0.9  # of an hour that no breaker can have overlooked


@dataclass(frozen=True, slots=True)
class Breakers:
    """What one operation's breakers did, by the hour: starts in seconds since the epoch.

    `opened`: they kept calls from the candidate; `forced`: somebody had forced them open then. `answered`: the
    candidate answered calls of the share. `unnoticed`: it was as good as dead, and no call was kept from it.
    """

    operation: str
    switched_on: bool = True
    kept_back: int = 0
    probes: int = 0
    opened: tuple[int, ...] = ()
    forced: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()
    unnoticed: tuple[int, ...] = ()


def breakers_function(seen: Breakers) -> Point:
    """Opened, probed and closed again; or held calls back while they were forced open, and let them through after."""
    name, numbers = seen.operation, {"kept_back": seen.kept_back, "probes": seen.probes}
    if not seen.switched_on:
        return Point(Outcome.FAILED, f"{name}: the flag's switch has turned breakers off", name, numbers)
    if seen.unnoticed:
        at = _hour(seen.unnoticed[-1])
        return Point(
            Outcome.FAILED, f"{name}: the candidate was down around {at}, and no breaker opened", name, numbers
        )
    every = sorted({*seen.opened, *seen.forced})
    if not every:
        why = "no breaker has opened: force one open for a while, and it is seen"
        return Point(Outcome.UNKNOWN, f"{name}: {why}", name, numbers)
    again = bool(seen.answered) and seen.answered[-1] > every[-1]
    told = f"{name}: {count(seen.kept_back)} calls were kept from the candidate, last around {_hour(every[-1])}"
    if seen.opened:
        told += f"; {count(seen.probes)} probes"
    closed = "closed again: the candidate has answered since" if again else "not seen closed yet"
    shown = again and (seen.probes > 0 or not seen.opened)
    return Point(Outcome.PASSED if shown else Outcome.UNKNOWN, f"{told}; {closed}", name, numbers)


@dataclass(frozen=True, slots=True)
class Affinity:
    """The keys that shares drew in an attempt, each once; calls that were kept by a pin, and calls without a key.

    `watched` are keys, once a bucket, of which processes looked whether they stay on their side; `strayed` those that
    the other side had served before under the same share, though no brake, breaker or rescue moved them.
    """

    operation: str
    drawn: Assignments
    processes: int
    alpha: float
    pinned: int = 0
    keyless: int = 0
    calls: int = 0
    switched_on: bool = True
    watched: int = 0
    strayed: int = 0


def affinity_held(seen: Affinity) -> Point:
    """Keys went where the share draws them. A key that changed sides for another reason would shift the draw."""
    name = seen.operation
    if not seen.switched_on:
        return Point(Outcome.FAILED, f"{name}: the flag's switch has turned affinity off", name)
    fresh = [
        (each.candidate.fresh, each.baseline.fresh, share)
        for share, each in seen.drawn.items()
        if 0 < share < FULL  # nothing else is a draw
    ]
    keys = sum(ours + theirs for ours, theirs, _ in fresh)
    log_evidence, needed = log_mismatch(seen.drawn, max(1, seen.processes)), -math.log(seen.alpha)
    numbers = {
        "keys": keys,
        "pinned": seen.pinned,
        "keyless": seen.keyless,
        "log_evidence": log_evidence,
        "log_limit": needed,
    }
    ours, wanted = sum(each[0] for each in fresh), sum((each[0] + each[1]) * each[2] / FULL for each in fresh)
    told = (
        f"{name}: of {count(keys)} keys {count(ours)} went to the candidate, {count(round(wanted))} were expected; "
        f"evidence 1 in {one_in(log_evidence)} of another assignment, limit 1 in {one_in(needed)}; "
        f"{count(seen.pinned)} calls were kept by a pin"
    )
    if seen.keyless and seen.calls:
        told += f"; {percent(seen.keyless / seen.calls)} of calls have no key and cannot stick"
    if log_evidence >= needed:
        return Point(Outcome.FAILED, told, name, numbers)
    return Point(Outcome.PASSED if keys >= LEAST_DRAWN else Outcome.UNKNOWN, told, name, numbers)


def nobody_strayed(seen: Affinity) -> Point:
    """No key is served by both sides while one share is in force. What is counted needs no statistics."""
    name, numbers = seen.operation, {"watched": seen.watched, "strayed": seen.strayed}
    if not seen.watched:
        return Point(Outcome.UNKNOWN, f"{name}: no service has told yet whether keys stay on their side", name, numbers)
    if seen.strayed:
        told = f"{name}: {count(seen.strayed)} keys were served by both sides while one share was in force"
        return Point(Outcome.FAILED, f"{told}: look at rules by attributes that change, and at pins", name, numbers)
    told = f"{name}: no key was served by both sides while one share was in force; {count(seen.watched)} looks at keys"
    return Point(Outcome.PASSED if seen.watched >= LEAST_DRAWN else Outcome.UNKNOWN, told, name, numbers)


@dataclass(frozen=True, slots=True)
class Quiet:
    """When one operation last was below its aim, was rolled back, and had an open breaker; what has called it since.

    `aim` and `at` are percents; `days_heard` the distinct days with calls since the newest of the three instants.
    """

    operation: str
    aim: float
    at: float
    reached_at: datetime | None
    rolled_back_at: datetime | None
    opened_at: datetime | None
    days_heard: int = 0


def stable(seen: Quiet, now: datetime) -> Point:
    """30 days at the aim without a rollback and without an open breaker; a day without calls does not count."""
    name = seen.operation
    numbers: dict[str, float | int | str | None] = {"days_needed": QUIET.days, "percent": seen.at, "aim": seen.aim}
    if seen.at < seen.aim or seen.reached_at is None:
        return Point(
            Outcome.UNKNOWN, f"{name}: is at {seen.at:g} %; the days count from {seen.aim:g} % on", name, numbers
        )
    reasons = [
        (seen.reached_at, f"it reached {seen.aim:g} %"),
        *((at, why) for at, why in _resets(seen) if at is not None),
    ]
    since, why = max(reasons)
    days = (now - since) / timedelta(days=1)
    numbers |= {"days": round(days, 2), "days_heard": seen.days_heard, "since": since.isoformat()}
    told = f"{name}: {int(days)} of {QUIET.days} days since {why} ({since:%Y-%m-%d %H:%M} UTC)"
    if days < QUIET.days:
        return Point(Outcome.UNKNOWN, told, name, numbers)
    if seen.days_heard < QUIET.days:
        return Point(Outcome.UNKNOWN, f"{told}, but with calls on {seen.days_heard} of them only", name, numbers)
    return Point(Outcome.PASSED, told, name, numbers)


def _resets(seen: Quiet) -> list[tuple[datetime | None, str]]:
    return [(seen.rolled_back_at, "the last rollback"), (seen.opened_at, "a breaker was open")]


def tests_pass(newest: Sequence[Attachment]) -> tuple[Point, ...]:
    """The last word of each suite that was attached."""
    if not newest:
        return (Point(Outcome.UNKNOWN, "no test result is attached"),)
    return tuple(
        Point(
            Outcome.PASSED if each.passed else Outcome.FAILED,
            f"{each.suite} {'passed' if each.passed else 'failed'} at {each.commit}, attached by {each.by}",
            each.suite,
            {"commit": each.commit, "link": each.link, "at": each.at.isoformat()},
        )
        for each in newest
    )


def _hour(start: int) -> str:
    return f"{datetime.fromtimestamp(start, tz=UTC):%Y-%m-%d %H:00} UTC"
