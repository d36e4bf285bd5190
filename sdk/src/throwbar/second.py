"""How is a backend called that the caller's answer does not come from?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from throwbar.breaker import Breaker, tell
from throwbar.circuit import BreakerSettings, Permit
from throwbar.comparison import DEFAULT, Compare, Outcome
from throwbar.copies import Arguments, CopyOf
from throwbar.deadline import Deadline
from throwbar.decision import Choice
from throwbar.evidence import Classifier, classify
from throwbar.mismatches import Mismatches
from throwbar.taxonomy import BY_CATEGORY, Category, ErrorInfo

LONGEST_SECONDS = 5.0  # for operations without a deadline
_CANCELLED = BY_CATEGORY[Category.CANCELLED]
_OVERDUE = BY_CATEGORY[Category.TIMEOUT]._replace(because="not back when the time of a second call was over")

Function = Callable[..., Any]


class Books(Protocol):
    """Where calls are counted, as `Tally` does."""

    def begin(self, choice: Choice, key: str | None) -> Any: ...  # noqa: ANN401 - only to be handed back

    def end(self, opened: Any, category: str | None) -> None: ...  # noqa: ANN401 - what `begin` returned

    def compare(self, choice: Choice, result: str, ratio: int | None = None) -> None: ...

    def shadowing(self) -> AbstractContextManager[None]: ...


class Host(Protocol):
    """What second calls need of the engine."""

    wall_clock: Callable[[], float]
    perf_clock_ns: Callable[[], int]
    counting: bool

    @property
    def tally(self) -> Books: ...

    @property
    def mismatches(self) -> Mismatches: ...

    def note_error(self, error: Exception) -> None: ...


class Manner(NamedTuple):
    """What the author of an operation said that concerns second calls.

    `deadline` is the operation's, in seconds; `snapshot` copies one argument or result, `copy.deepcopy` where it is
    None; `expected` exceptions are answers.
    """

    deadline: float | None = None
    compare: Compare = DEFAULT
    snapshot: CopyOf | None = None
    classify: Classifier | None = None
    expected: tuple[type[BaseException], ...] = ()
    breaker: BreakerSettings = BreakerSettings()

    @property
    def limit(self) -> float:
        """Seconds that a second call may take."""
        return LONGEST_SECONDS if self.deadline is None else self.deadline

    def word_for(self, error: BaseException) -> tuple[str, ErrorInfo | None]:
        """What a raised exception is compared by and told as, and what it says of the backend: None for nothing."""
        if isinstance(error, self.expected):
            return f"expected {type(error).__name__}", None
        info = classify(error, self.classify)
        return info.category, info


class Second:
    """The calls of one side of an operation that come second, with their own breaker and their own time."""

    def __init__(self, host: Host, function: Function, manner: Manner) -> None:
        self._host = host
        self._function = function
        self._manner = manner
        self.breaker = Breaker(manner.breaker, deadline=manner.limit, clock_ns=host.perf_clock_ns)

    def call(self, choice: Choice, key: str | None, arguments: Arguments) -> Outcome | None:
        """None when the breaker is open. Raises only what is no Exception: the end of the host, or of its patience."""
        begun = self._begin(choice, key)
        if begun is None:
            return None
        try:
            with Deadline(begun.limit_ns, begun.now_ns, clock_ns=self._host.perf_clock_ns):
                value = self._function(*arguments[0], **arguments[1])
        except Exception as error:  # noqa: BLE001 - the host's code, called for nobody but us
            return self._failed(begun, error)
        except BaseException:
            self._end(begun, _CANCELLED)
            raise
        return self._returned(begun, value)

    async def acall(self, choice: Choice, key: str | None, arguments: Arguments) -> Outcome | None:
        """The same for coroutine functions. A second call that exits must not end the loop, which is everybody's."""
        from asyncio import timeout  # noqa: PLC0415 - somebody awaits this: it is there already

        begun = self._begin(choice, key)
        if begun is None:
            return None
        try:
            with Deadline(begun.limit_ns, begun.now_ns, clock_ns=self._host.perf_clock_ns) as deadline:
                async with timeout(deadline.remaining()):
                    value = await self._function(*arguments[0], **arguments[1])
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            return self._failed(begun, error)
        except BaseException:
            self._end(begun, _CANCELLED)
            raise
        return self._returned(begun, value)

    def _begin(self, choice: Choice, key: str | None) -> _Begun | None:
        now_ns = self._host.perf_clock_ns()
        permit = self.breaker.passing or self.breaker.acquire(now_ns)
        if permit is None:
            return None
        opened = self._host.tally.begin(choice, key) if self._host.counting else None
        return _Begun(permit, opened, now_ns, int(self._manner.limit * 1e9))

    def _returned(self, begun: _Begun, value: object) -> Outcome:
        duration_ns = self._host.perf_clock_ns() - begun.now_ns
        info = _OVERDUE if duration_ns > begun.limit_ns else None
        self._end(begun, info)
        return Outcome(value, None if info is None else info.category, duration_ns)

    def _failed(self, begun: _Begun, error: BaseException) -> Outcome:
        duration_ns = self._host.perf_clock_ns() - begun.now_ns
        word, info = self._manner.word_for(error)
        self._end(begun, info)
        return Outcome(None, word, duration_ns)

    def _end(self, begun: _Begun, info: ErrorInfo | None) -> None:
        now_ns = self._host.perf_clock_ns()
        tell(begun.permit, info, now_ns, now_ns - begun.now_ns)
        if begun.opened is not None:
            self._host.tally.end(begun.opened, None if info is None else info.category)


class _Begun(NamedTuple):
    """A second call under way."""

    permit: Permit
    opened: Any
    now_ns: int
    limit_ns: int
