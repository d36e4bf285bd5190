"""The finish line: is the baseline unused, so that its code can go? And which flags have been forgotten?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.domain.share import FULL
from controlplane.domain.words import count

UNUSED_FOR = timedelta(days=14)
UNTOUCHED_FOR = timedelta(days=30)
_OVER = frozenset({State.COMPLETED, State.FINISHED})


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the last 14 days to each side, and the newest call to the baseline that is known of."""

    baseline_calls: int
    candidate_calls: int
    last_baseline_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finish:
    """`ready`: nothing calls the baseline any more, and something would have been heard if it did."""

    ready: bool
    sentence: str


def finish_line(flag: Flag, usage: Usage, now: datetime) -> Finish:
    """Whether the baseline can be removed, in one sentence."""
    days = UNUSED_FOR.days
    if not flag.candidate:
        return _not_yet("it is not moved, so there is nothing to finish")
    if not _is_over(flag):
        at = "disabled" if not flag.enabled else f"in the state {flag.rollout.state.value}"
        return _not_yet(f"the migration is not over: the flag is {at} and not every call goes to {flag.candidate}")
    if usage.baseline_calls:
        ago = f", the last one {_ago(usage.last_baseline_at, now)}" if usage.last_baseline_at else ""
        return _not_yet(f"{count(usage.baseline_calls)} calls went to {flag.baseline} in the last {days} days{ago}")
    if not usage.candidate_calls:
        return _not_yet(f"no call to either side was reported for {days} days: that shows nothing")
    return Finish(ready=True, sentence=f"0 calls to {flag.baseline} for {days} days: ready to remove")


def _not_yet(sentence: str) -> Finish:
    return Finish(ready=False, sentence=sentence)


def _is_over(flag: Flag) -> bool:
    if not flag.enabled or flag.rolled_back or not flag.operations:
        return False
    return flag.rollout.state in _OVER or all(each.share >= FULL for each in flag.operations.values())


def _ago(at: datetime, now: datetime) -> str:
    age = max(timedelta(), now - at)
    return f"{age.days} days ago" if age >= timedelta(days=2) else f"{int(age / timedelta(hours=1))} hours ago"


@dataclass(frozen=True, slots=True)
class Traces:
    """What is heard of a flag: its newest call, and whether a running process registers it; None: nobody would say."""

    last_call_at: datetime | None
    registered: bool | None


def stale_because(flag: Flag, traces: Traces, now: datetime) -> Iterator[str]:
    """Why a flag looks forgotten, one sentence a reason."""
    entered, touched = flag.rollout.entered_at, flag.updated_at or now
    if flag.rollout.state in {*_OVER, State.ABORTED} and entered and now - entered >= UNUSED_FOR:
        yield f"its rollout has been {flag.rollout.state.value} for {(now - entered).days} days"
    shares = {each.share for each in flag.operations.values()}
    if shares in ({0}, {FULL}) and now - touched >= UNTOUCHED_FOR and not flag.rollout.is_live:
        yield f"every operation has been at {100 if FULL in shares else 0} % for {(now - touched).days} days"
    if flag.feature:
        return  # services may ask for it through OpenFeature, and nobody hears of that
    since = traces.last_call_at or flag.created_at or now
    if now - since >= UNUSED_FOR:
        heard = "no call has been reported" if traces.last_call_at else "no call was ever reported"
        yield f"{heard} for {(now - since).days} days"
    if traces.registered is False and now - (flag.created_at or now) >= UNUSED_FOR:
        yield "no running process registers it"
