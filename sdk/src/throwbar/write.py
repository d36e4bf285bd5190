"""What happens between the two halves of one dual write, whatever becomes of either?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol

from throwbar.comparison import Outcome
from throwbar.copies import Arguments
from throwbar.deadline import forget_deadline
from throwbar.decision import Choice
from throwbar.delivery import OutcomeUnknown
from throwbar.divergence import Divergence
from throwbar.evidence import classify
from throwbar.second import Host, Manner, Second
from throwbar.taxonomy import Category, Delivery

if TYPE_CHECKING:
    from asyncio import Task

_NOT_COPIED = "the arguments could not be copied"
_NOT_CALLED = "the breaker of the second writes is open"
_CUT_SHORT = str(Category.CANCELLED)


class Halves(Protocol):
    """What a write needs of the operation it belongs to."""

    host: Host
    manner: Manner
    seconds: tuple[Second, ...]

    def follow(self, key: str | None, make: Callable[[], Coroutine[Any, Any, None]]) -> Task[None]: ...

    def diverged(self, divergence: Divergence, *, candidate: bool, closing: bool = False) -> None: ...


class Write:
    """One dual write. After the first half say `fail`, or `complete`, or in a coroutine await `acomplete`.

    If the other side served the call in the end, `swap` before that.
    """

    __slots__ = ("_arguments", "_first", "_halves", "_key", "_second")

    def __init__(
        self, halves: Halves, first: Choice, second: Choice, key: str | None, arguments: Arguments | None
    ) -> None:
        self._halves = halves
        self._first = first
        self._second = second
        self._key = key
        self._arguments = arguments

    def swap(self, first: Choice, second: Choice) -> None:
        """The fallback did the write, so it is the candidate that comes second."""
        self._first, self._second = first, second

    def fail(self, error: BaseException) -> None:
        """The first half raised: the second is not made. Where the first may have been done, that is a divergence."""
        try:
            manner = self._halves.manner
            if isinstance(error, manner.expected):
                return
            lost = isinstance(error, OutcomeUnknown)  # whose cause is the newest attempt's, not that of the lost one
            info = classify((lost and error.__cause__) or error, manner.classify)
            # An application error is the backend's answer; the rest of these never got one.
            answered = info.category is Category.APPLICATION or info.delivery not in (
                Delivery.UNKNOWN,
                Delivery.APPLIED,
            )
            if lost or not answered:
                self._diverge(info.category, first_unknown=info.delivery is not Delivery.APPLIED)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._halves.host.note_error(trouble)

    def complete(self) -> None:
        """The first half is done; make the second. Never raises an Exception."""
        try:
            if self._arguments is None:
                self._diverge(_NOT_COPIED)
            else:
                self._settle(copy_context().run(self._call, self._arguments))
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._halves.host.note_error(trouble)
        except BaseException:
            self._diverge(_CUT_SHORT)
            raise

    async def acomplete(self) -> None:
        """The same for coroutine functions. If the caller is cancelled meanwhile, the second half goes on."""
        from asyncio import shield  # noqa: PLC0415 - a coroutine asks: it is there already

        try:
            task = self._halves.follow(self._key, self._acomplete)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._halves.host.note_error(trouble)
            return
        task.add_done_callback(self._look_back)
        await shield(task)

    def _call(self, arguments: Arguments) -> Outcome | None:
        forget_deadline()
        return self._of_second.call(self._second, self._key, arguments)

    async def _acomplete(self) -> None:
        """Run as a task of its own, which nobody may await to the end."""
        try:
            forget_deadline()
            if self._arguments is None:
                self._diverge(_NOT_COPIED)
            else:
                self._settle(await self._of_second.acall(self._second, self._key, self._arguments))
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._halves.host.note_error(trouble)
        except GeneratorExit:  # thrown away with its loop
            self._diverge(_CUT_SHORT, closing=True)
            raise

    @property
    def _of_second(self) -> Second:
        return self._halves.seconds[self._second.candidate]

    def _settle(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self._diverge(_NOT_CALLED)
        elif outcome.raised is not None:
            self._diverge(outcome.raised)

    def _look_back(self, task: Task[None]) -> None:
        if task.cancelled():  # by the end of its loop, perhaps before it began
            self._diverge(_CUT_SHORT, closing=True)

    def _diverge(self, because: str, *, first_unknown: bool = False, closing: bool = False) -> None:
        plan = self._first.plan
        args, kwargs = self._arguments or ((), {})
        divergence = Divergence(
            plan.flag,
            plan.operation,
            self._halves.host.wall_clock(),
            self._key,
            self._first.backend,
            self._second.backend,
            str(because),
            first_unknown,
            args,
            kwargs,
        )
        self._halves.diverged(divergence, candidate=self._second.candidate, closing=closing)
