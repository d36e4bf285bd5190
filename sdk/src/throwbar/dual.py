"""Which calls are written to both stores, and what ties their two halves together?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from throwbar.callables import Colour, colour_of
from throwbar.copies import Arguments, copy_call
from throwbar.decision import Choice
from throwbar.divergence import Divergence, Divergences, Reconcile
from throwbar.engine import log
from throwbar.errors import ConfigurationError
from throwbar.second import Function, Host, Manner, Second
from throwbar.write import Write

if TYPE_CHECKING:
    from asyncio import Task


class DualWrite:
    """The second writes of one operation, whose kind is IDEMPOTENT_WRITE, or WRITE with a `reconcile`.

    The authoritative side is called first, by the caller's own call. The other follows in the same thread or
    coroutine, so that the writes of one caller reach both stores in one order, and may take as long as the
    operation's deadline allows.
    """

    def __init__(
        self,
        host: Host,
        functions: tuple[Function, Function],
        manner: Manner,
        reconcile: Reconcile | None,
        *,
        asynchronous: bool,
    ) -> None:
        """`functions` are the baseline's and the candidate's. Raises ConfigurationError."""
        self._reconciles_later = reconcile is not None and colour_of(reconcile) is Colour.ASYNC
        if self._reconciles_later and not asynchronous:
            raise ConfigurationError("reconcile is a coroutine function, and this operation's functions are plain ones")
        self.host = host
        self.manner = manner
        self.divergences = Divergences()
        self.seconds = tuple(Second(host, function, manner) for function in functions)
        self._reconcile = reconcile
        self._tails: dict[str, Task[None]] = {}  # the newest second write of each key that has one under way
        self._tasks: set[Task[None]] = set()  # also what keeps them from being collected while they run

    def renew(self) -> None:
        """A new process."""
        for second in self.seconds:
            second.breaker.renew()
        self._tails.clear()
        self._tasks.clear()

    def begin(
        self,
        first: Choice,
        second: Choice,
        key: str | None,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> Write:
        """To be asked before the caller's own call is made, as that may change its arguments.

        `first` is the choice of the caller's call, `second` that of the other side. Never raises an Exception.
        """
        arguments: Arguments | None
        try:
            arguments = copy_call(args, kwargs, self.manner.snapshot)
        except Exception:  # noqa: BLE001 - the host's objects, which need not be copyable
            arguments = None
        return Write(self, first, second, key, arguments)

    def follow(self, key: str | None, make: Callable[[], Coroutine[Any, Any, None]]) -> Task[None]:
        """A task for a second write, which begins when the one before it for the same key is over."""
        from asyncio import get_running_loop, wait  # noqa: PLC0415 - a coroutine asks: it is there already

        loop = get_running_loop()
        before = None if key is None else self._tails.get(key)

        async def in_turn() -> None:
            if before is not None and before.get_loop() is loop:
                await wait({before})
            await make()

        task = loop.create_task(in_turn())
        if key is not None:
            self._tails[key] = task
            task.add_done_callback(lambda done: self._leave(key, done))
        return self._hold(task)

    def diverged(self, divergence: Divergence, *, candidate: bool, closing: bool = False) -> None:
        """Count it and hand it to `reconcile`, or keep it: without a hook, or where the hook fails.

        `candidate`: it is the candidate's store that misses it. `closing`: the loop is being stopped, so that nothing
        new can be awaited. Never raises an Exception.
        """
        self.divergences.note(candidate=candidate)
        hook = self._reconcile
        if hook is None or (closing and self._reconciles_later):
            self.divergences.keep(divergence)
            return
        try:
            answer = hook(divergence)
            if answer is not None and self._reconciles_later:
                self._run_later(divergence, answer, candidate=candidate)
            elif answer is not False:
                self.divergences.reconciled(candidate=candidate)
        except Exception as error:  # noqa: BLE001 - the host's code, after a write that did succeed
            self._not_reconciled(divergence, error)

    def _run_later(self, divergence: Divergence, waiting: Any, *, candidate: bool) -> None:  # noqa: ANN401 - whatever can be awaited
        from asyncio import get_running_loop  # noqa: PLC0415 - as above

        async def reconciled() -> None:
            try:
                if await waiting is not False:
                    self.divergences.reconciled(candidate=candidate)
            except Exception as error:  # noqa: BLE001 - as above
                self._not_reconciled(divergence, error)
            except BaseException:
                self.divergences.keep(divergence)
                raise

        self._hold(get_running_loop().create_task(reconciled()))

    def _not_reconciled(self, divergence: Divergence, error: Exception) -> None:
        if not self.divergences.hook_failures:
            log.warning("reconcile of %s/%s failed", divergence.flag, divergence.operation, exc_info=error)
        self.divergences.hook_failures += 1
        self.divergences.keep(divergence)

    def _hold(self, task: Task[None]) -> Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _leave(self, key: str, task: Task[None]) -> None:
        if self._tails.get(key) is task:
            del self._tails[key]
