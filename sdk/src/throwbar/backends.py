"""What does a call go through when its backend is an object? One that is made when first needed, and made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from throwbar.adapting import AdaptArguments, AdaptResult, adapting, adapting_async
from throwbar.callables import Colour, colour_of, name_of
from throwbar.chance import chance
from throwbar.clock import monotonic
from throwbar.deadline import remaining
from throwbar.engine import log
from throwbar.errors import ConfigurationError, ThrowbarError
from throwbar.forked import renew_after_fork
from throwbar.resting import Resting
from throwbar.taxonomy import BY_CATEGORY, Category

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
Function = Callable[..., Any]


class InitializationFailed(ThrowbarError):
    """There is no backend to send the call to, so nothing was sent. Its `__cause__` is what the factory raised."""

    error_info = BY_CATEGORY[Category.INITIALIZATION]._replace(because="the backend could not be made")


class _Making:
    """One run of the factory, for all who wait for it."""

    __slots__ = ("done", "failure", "thread")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.get_ident()


class Backend(Generic[T]):
    """An object that calls go through: a pool, a client. `factory` makes it at the first call, once for all of them.

    While the factory runs in one thread, others wait for it as long as their deadline allows. When it fails, or
    `health` does not like what it made, calls fail with InitializationFailed, and it is tried again after 1 s, then
    2 s, up to 60 s. `adapt_args` gets the arguments of a call and returns what this backend wants instead, as
    `(args, kwargs)`; `adapt_result` turns its results into those the callers know. `close` ends the object; without
    one, its own `close` does. `factory`, `health` and `close` may be coroutine functions, all for one event loop.

    A forked child makes its own object, and never touches its parent's. `clock` (seconds) and `chance` are there for
    tests. Raises ConfigurationError.
    """

    def __init__(  # noqa: PLR0913 - all but one are named, and each has a default
        self,
        factory: Callable[[], Any],
        *,
        adapt_args: AdaptArguments | None = None,
        adapt_result: AdaptResult | None = None,
        health: Callable[[T], Any] | None = None,
        close: Callable[[T], Any] | None = None,
        clock: Callable[[], float] = monotonic,
        chance: Callable[[], float] = chance,
    ) -> None:
        for name, adapter in (("adapt_args", adapt_args), ("adapt_result", adapt_result)):
            if adapter is not None and colour_of(adapter) is not Colour.SYNC:
                raise ConfigurationError(f"{name}: {name_of(adapter)} is a coroutine function")
        asked = [function for function in (factory, health, close) if function is not None]
        self.asynchronous = Colour.ASYNC in {colour_of(function) for function in asked}
        self._factory = factory
        self._adapters = (adapt_args, adapt_result)
        self._health = health
        self._close = close
        self._resting = Resting(1.0, 60.0, clock, chance)
        self._made: tuple[T] | None = None
        self._inherited: list[tuple[T]] = []
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """A new process. What the parent made is kept from the garbage collector, which would say goodbye for it."""
        if self._made is not None:
            self._inherited.append(self._made)
        self._lock = threading.RLock()
        self._made = None
        self._making: _Making | None = None
        self._task: asyncio.Task[None] | None = None
        self._resting.succeeded()

    @property
    def made(self) -> bool:
        """Is there an object now?"""
        return self._made is not None

    def get(self) -> T:
        """The object. Raises InitializationFailed, or ConfigurationError where it can only be awaited."""
        if self.asynchronous:
            raise ConfigurationError(f"the backend of {name_of(self._factory)} is made by a coroutine: use aget")
        while True:
            made = self._made
            if made is not None:
                return made[0]
            making, leads = self._join()
            if leads:
                self._make(making)
            else:
                self._wait_for(making)

    async def aget(self) -> T:
        """The same for coroutines. A plain factory runs in a thread, so that the event loop goes on.

        A caller that is cancelled leaves; the factory runs to its end.
        """
        import asyncio  # noqa: PLC0415 - whoever gets here has it loaded; others should not pay for it

        while True:
            made = self._made
            if made is not None:
                return made[0]
            await asyncio.shield(self._join_task())

    def calling(self, function: Function) -> Function:
        """`function`, which gets this object before the arguments of the call: ready to be a baseline or candidate.

        Raises ConfigurationError for a plain function when the object has to be awaited.
        """
        if colour_of(function) is Colour.ASYNC:
            return adapting_async(self.aget, function, *self._adapters)
        if self.asynchronous:
            raise ConfigurationError(f"{name_of(function)} is a plain function, its backend has to be awaited")
        return adapting(self.get, function, *self._adapters)

    def discard(self, broken: T) -> None:
        """Forget this object, if it is still the one in use: the next call makes another. It is not closed."""
        with self._lock:
            if self._made is not None and self._made[0] is broken:
                self._made = None

    def close(self) -> None:
        """End the object, if there is one. A later call would make another. What closing raises is logged."""
        if self.asynchronous:
            if self._made is not None:
                log.warning("the backend of %s has to be awaited: use aclose", name_of(self._factory))
            return
        made = self._take()
        if made is not None:
            self._end(made[0])

    async def aclose(self) -> None:
        """The same for coroutines."""
        made = self._take()
        if made is not None:
            await self._aend(made[0])

    def _join(self) -> tuple[_Making, bool]:
        """The run of the factory, and whether it is the caller's to do."""
        with self._lock:
            if self._making is not None:
                return self._making, False
            making = _Making()
            if self._made is not None:  # since the caller looked
                making.done.set()
                return making, False
            self._refuse_while_resting()
            self._making = making
            return making, True

    def _join_task(self) -> asyncio.Task[None]:
        import asyncio  # noqa: PLC0415 - as above

        task = self._task
        if task is None or task.done() or task.get_loop().is_closed():
            self._refuse_while_resting()
            task = self._task = asyncio.get_running_loop().create_task(self._amake())
            task.add_done_callback(_retrieve)
        elif task.get_loop() is not asyncio.get_running_loop():
            raise InitializationFailed("the backend is being made in another event loop")
        elif task is asyncio.current_task():
            raise self._circle()
        return task

    def _make(self, making: _Making) -> None:
        try:
            instance = self._factory()
            if self._health is not None and not self._health(instance):
                self._end(instance)
                raise InitializationFailed(f"what {name_of(self._factory)} made is not healthy")  # noqa: TRY301
        except Exception as error:
            making.failure = error
            self._resting.failed()
            raise self._failure(error) from error
        else:
            self._resting.succeeded()
            self._made = (instance,)
        finally:  # also when interrupted: whoever waits then tries for himself
            self._making = None
            making.done.set()

    async def _amake(self) -> None:
        import asyncio  # noqa: PLC0415 - as above

        if not self.asynchronous:
            await asyncio.to_thread(self.get)
            return
        try:
            instance = await _settled(self._factory())
            if self._health is not None and not await _settled(self._health(instance)):
                await self._aend(instance)
                raise InitializationFailed(f"what {name_of(self._factory)} made is not healthy")  # noqa: TRY301
        except Exception as error:
            self._resting.failed()
            raise self._failure(error) from error
        self._resting.succeeded()
        self._made = (instance,)

    def _wait_for(self, making: _Making) -> None:
        if making.thread == threading.get_ident() and not making.done.is_set():
            raise self._circle()
        if not making.done.wait(remaining()):
            raise InitializationFailed("the backend is not ready yet")
        if making.failure is not None:
            raise self._failure(making.failure) from making.failure

    def _refuse_while_resting(self) -> None:
        left = self._resting.left()
        if left:
            raise InitializationFailed(f"the backend could not be made; the next try is in {left:.1f} s")

    def _circle(self) -> InitializationFailed:
        return InitializationFailed(f"{name_of(self._factory)} asks for the backend that it is to make")

    def _failure(self, error: BaseException) -> InitializationFailed:
        if isinstance(error, InitializationFailed):
            return InitializationFailed(str(error))
        return InitializationFailed(f"{name_of(self._factory)} raised {type(error).__name__}")

    def _take(self) -> tuple[T] | None:
        with self._lock:
            made, self._made = self._made, None
            return made

    def _end(self, instance: T) -> None:
        try:
            self._ending(instance, "close")
        except Exception as error:  # noqa: BLE001 - the service's own code, at its end
            self._note_closing(error)

    async def _aend(self, instance: T) -> None:
        try:
            await _settled(self._ending(instance, "aclose", "close"))
        except Exception as error:  # noqa: BLE001 - as above
            self._note_closing(error)

    def _ending(self, instance: T, *names: str) -> object:
        if self._close is not None:
            return self._close(instance)
        ends = filter(None, (getattr(instance, name, None) for name in names))
        end = next(ends, None)
        return None if end is None else end()

    def _note_closing(self, error: Exception) -> None:
        log.warning("closing the backend of %s failed", name_of(self._factory), exc_info=error)


async def _settled(result: Any) -> Any:  # noqa: ANN401 - whatever the service's function returns
    return await result if hasattr(result, "__await__") else result


def _retrieve(task: asyncio.Task[None]) -> None:
    """All who waited may have left; then nobody else looks at what it raised."""
    if not task.cancelled():
        task.exception()
