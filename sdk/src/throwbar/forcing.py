"""Does a test insist on where calls go? What `throwbar.testing` asked for, and how a plan obeys it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, NoReturn

from throwbar.decision import Reason
from throwbar.plan import OperationPlan
from throwbar.taxonomy import BY_CATEGORY, Category
from throwbar.terms import ALL_ON, Switches


class To(StrEnum):
    """Where calls can be forced. `FALLBACK`: the candidate cannot be reached. `BREAKER_OPEN`: it is not even tried."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"
    FALLBACK = "fallback"
    BREAKER_OPEN = "breaker_open"


class Order(NamedTuple):
    """Which calls are forced: None is for any client's engine, any flag, any operation."""

    to: To
    engine: object = None
    flag: str | None = None
    operation: str | None = None

    def covers(self, engine: object, plan: OperationPlan) -> bool:
        return (
            self.engine in (None, engine)
            and self.flag in (None, plan.flag)
            and self.operation in (None, plan.operation)
        )


class CandidateForcedDown(ConnectionRefusedError):
    """What the candidate raises under a forced fallback, in place of being called: nothing was sent."""

    error_info = BY_CATEGORY[Category.CONNECTION]._replace(because="a test forces the fallback")


_SETTLED = {
    To.BASELINE: (Reason.OVERRIDE, "override", False),
    To.CANDIDATE: (Reason.OVERRIDE, "override", True),
    To.FALLBACK: (Reason.OVERRIDE, "override", True),
    To.BREAKER_OPEN: (Reason.SHARE, "share", True),  # an override would pass an open breaker
}
_SWITCHES = {
    To.FALLBACK: ALL_ON._replace(retry=False),  # or each call would wait for retries that cannot succeed
    To.BREAKER_OPEN: ALL_ON._replace(affinity=False),
}

_orders: tuple[Order, ...] = ()  # replaced as a whole: a call that looks at it takes no lock


def orders() -> tuple[Order, ...]:
    """Those in force, the oldest first."""
    return _orders


def put(orders: tuple[Order, ...]) -> None:
    """These are in force, for plans looked up from now on."""
    global _orders  # noqa: PLW0603 - a test drives the process it runs in, with all its threads
    _orders = orders


def obeyed(engine: object, plan: OperationPlan) -> OperationPlan:
    """The plan itself, or one that the newest order for such calls leads to."""
    for order in reversed(_orders):
        if order.covers(engine, plan):
            return _forced(plan, order.to)
    return plan


def _forced(plan: OperationPlan, to: To) -> OperationPlan:
    switches: Switches = _SWITCHES.get(to, plan.switches)
    forced = OperationPlan(
        plan.flag,
        plan.operation,
        baseline=plan.baseline,
        candidate=plan.candidate or "candidate",
        attempt=plan.attempt,
        latency_tolerance=plan.latency_tolerance,
        # A breaker whose mode changes forgets what it has seen, so one test leaves nothing behind for the next.
        breaker={"mode": "forced_open" if to is To.BREAKER_OPEN else "forced_closed"},
        retry=plan.retry,
        switches=switches,
        settled=_SETTLED[to],
    )
    if to is To.FALLBACK and forced.settled is not None:
        forced.stand_in = _refuse
        forced.settled.paired = True  # the way of calls that are not as usual, where the stand-in is looked for
    return forced


def _refuse(*_: object, **__: object) -> NoReturn:
    raise CandidateForcedDown("the candidate is forced down by a test")
