"""What is tried, in which order, until a call has an answer? Retries, then the baseline, then the truth.

One generator serves plain callers and coroutines: it yields a function to call or seconds to wait, and is sent what
came of it (`drive.py`). No exception of the host ever travels through it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.breaker import tell
from throwbar.cell import UNMARKED, Marks
from throwbar.circuit import Permit
from throwbar.deadline import Deadline, DeadlineExceeded, remaining
from throwbar.delivery import Course, OutcomeUnknown, StartToken, WriteReceipt, fate_of
from throwbar.engine import Engine
from throwbar.evidence import classify
from throwbar.guard import NO_PERMIT, Guard
from throwbar.policy import Policy
from throwbar.retry import Repeating, RetrySettings, next_pause
from throwbar.taxonomy import Category, ErrorInfo
from throwbar.terms import retry_settings

Function = Callable[..., Any]


class Ended(NamedTuple):
    """What came of a step: a result, or the exception in its place."""

    result: Any
    error: BaseException | None = None


Steps = Generator[Function | float, Ended, Ended]
_WELL = Ended(None)


class Call:
    """One logical call: what was declared, what was opened, and what has become of it so far."""

    __slots__ = ("args", "binding", "deadline", "engine", "functions", "kwargs", "opened", "policy", "token")

    def __init__(  # noqa: PLR0913, PLR0917 - made in two places, from what these have at hand
        self,
        engine: Engine,
        binding: Binding,
        policy: Policy,
        functions: tuple[Function, Function],
        opened: Opened,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self.engine = engine
        self.binding = binding
        self.policy = policy
        self.functions = functions
        self.opened = opened
        self.args = args
        self.kwargs = kwargs
        self.deadline: Deadline | None = None
        self.token = StartToken(policy.kind, policy.permissions)

    @property
    def candidate(self) -> bool:
        return self.opened[0].candidate

    @property
    def guard(self) -> Guard:
        return self.opened[1].guards[self.candidate]

    @property
    def may_fall_back(self) -> bool:
        return self.candidate and self.policy.fallback and self.opened[1].plan.switches.fallback

    def retry(self) -> RetrySettings:
        """The retries of the chosen side."""
        plan, code = self.opened[1].plan, self.policy.retry
        off = not plan.switches.retry or (not self.candidate and not (code is not None and code.baseline))
        if off:
            return RetrySettings(attempts=1)
        return retry_settings(RetrySettings(attempts=1) if code is None else code, plan.retry)


class Attempts(NamedTuple):
    """How the attempts at the chosen side ended. `info` of the first failure, `last` and `course` of the last one."""

    ended: Ended
    info: ErrorInfo | None = None
    course: Course = Course()
    retries: int = 0
    doubt: bool = False  # an attempt got lost on the way, so a write may have been done
    well: bool = False


def steps(call: Call, first: Ended | None = None) -> Steps:
    """The whole of one call. `first` is what came of the first attempt, where that was made already."""
    limit = call.policy.deadline
    if limit is None:
        return (yield from _serve(call, first))
    with Deadline(
        int(limit * 1e9), call.opened[6], reserving=call.may_fall_back, clock_ns=call.engine.perf_clock_ns
    ) as call.deadline:
        return (yield from _serve(call, first))


def _serve(call: Call, first: Ended | None) -> Steps:
    if first is None and call.candidate and remaining() == 0.0:
        return (yield from _too_late(call))
    tried = yield from _attempts(call, first)
    info = tried.info
    if tried.well or info is None:
        call.binding.settle(call.opened, None, _marks(tried))
        return tried.ended
    if tried.course.fall_back and call.may_fall_back and _affordable(call):
        call.binding.settle(call.opened, info.category, _marks(tried, fallbacks=1))
        return (yield from _fall_back(call))
    unknown = call.candidate and tried.doubt and tried.course.unknown
    call.binding.settle(call.opened, info.category, _marks(tried, unknown=int(unknown)))
    return _outcome_unknown(call, tried.ended) if unknown else tried.ended


def _attempts(call: Call, ended: Ended | None) -> Generator[Function | float, Ended, Attempts]:
    engine, guard, backend = call.engine, call.guard, call.guard.backend
    started_ns = call.opened[6]
    permit: Permit | None = call.opened[2]
    tried = Attempts(_WELL)
    number = 1
    while permit is not None:
        call.token.start(backend)
        if ended is None:
            ended = yield from _attempt(call, number)
        now_ns = engine.perf_clock_ns()
        error = ended.error
        if error is None or _expects(call, ended):
            permit.succeeded(now_ns, now_ns - started_ns)
            return tried._replace(ended=ended, well=True, retries=number - 1)
        info = classify(error, call.policy.classify)
        if info.countable:
            guard.failures.append(call.opened[5])
        tell(permit, info, now_ns, now_ns - started_ns)
        course = call.token.settle(fate_of(info))
        lost = course.unknown and info.category is not Category.APPLICATION
        tried = Attempts(ended, tried.info or info, course, number - 1, tried.doubt or lost)
        pause = next_pause(call.retry(), info, number, remaining()) if course.retry else None
        if pause is None or not guard.may_repeat(now_ns):
            return tried
        if pause:
            interrupted = (yield float(pause)).error
            if interrupted is not None:
                guard.retries.give_back()
                return tried._replace(ended=Ended(None, interrupted), course=Course())
        started_ns = engine.perf_clock_ns()
        permit = _permit(call, started_ns)
        number, ended = number + 1, None
    guard.retries.give_back()  # the breaker opened during the pause
    return tried


def _attempt(call: Call, number: int) -> Generator[Function | float, Ended, Ended]:
    function = call.functions[call.candidate]
    if number == 1:
        return (yield function)
    with Repeating():
        return (yield function)


def _permit(call: Call, now_ns: int) -> Permit | None:
    """For another attempt. The baseline is never refused, nor is a candidate that this machine insists on."""
    if call.candidate and call.opened[1].acting:
        return call.guard.breaker.acquire(now_ns)
    return call.guard.breaker.passing or NO_PERMIT


def _affordable(call: Call) -> bool:
    """Whether there is time for the baseline, and the baseline can bear one more call."""
    deadline = call.deadline
    if deadline is not None:
        deadline.release_reserve()
    if remaining() == 0.0:
        return False
    if call.opened[1].plan.stand_in is not None:
        return True
    return call.opened[1].guards[0].fallbacks.spend(call.engine.perf_clock_ns())


def _fall_back(call: Call) -> Steps:
    doubt = call.token.uncertain_at is not None  # with shared keys: the candidate may have done it all the same
    call.opened = call.binding.open_fallback(call.opened)
    tried = yield from _attempts(call, None)
    category = None if tried.well or tried.info is None else tried.info.category
    unknown = doubt and not tried.well and tried.course.unknown
    call.binding.settle(call.opened, category, _marks(tried, unknown=int(unknown)))
    return _outcome_unknown(call, tried.ended) if unknown else tried.ended


def _too_late(call: Call) -> Steps:
    """The call around this one has no time left. Nothing was sent, so the baseline may do it, if there is time."""
    call.opened[2].released()
    call.binding.settle(call.opened, Category.CANCELLED)
    if call.may_fall_back and _affordable(call):
        return (yield from _fall_back(call))
    return Ended(None, DeadlineExceeded(f"no time was left to call {call.guard.backend}"))


def _expects(call: Call, ended: Ended) -> bool:
    return isinstance(ended.error, call.policy.expected)


def _marks(tried: Attempts, *, fallbacks: int = 0, unknown: int = 0) -> Marks:
    return Marks(tried.retries, fallbacks, unknown) if tried.retries or fallbacks or unknown else UNMARKED


def _outcome_unknown(call: Call, ended: Ended) -> Ended:
    """Write a receipt, tell who wants to know, and let the caller know that nobody knows."""
    engine, policy = call.engine, call.policy
    key = call.opened[5]
    receipt = WriteReceipt(
        call.binding.flag,
        call.binding.operation,
        call.token.uncertain_at or call.guard.backend,
        engine.wall_clock(),
        None if key is None else engine.key_hash(key),
        _idempotency_key(call),
    )
    engine.bulletin.add_receipt(receipt, call.guard.side)
    try:
        if policy.on_unknown is not None:
            policy.on_unknown(receipt)
    except Exception as trouble:  # noqa: BLE001 - the host's own hook, but the caller must hear the truth
        engine.note_error(trouble)
    unknown = OutcomeUnknown(receipt)
    unknown.__cause__ = ended.error
    return Ended(None, unknown)


def _idempotency_key(call: Call) -> str | None:
    try:
        asked = call.policy.idempotency_key
        key = None if asked is None else asked(*call.args, **call.kwargs)
        return None if key is None else str(key)
    except Exception as trouble:  # noqa: BLE001 - as above
        call.engine.note_error(trouble)
        return None
