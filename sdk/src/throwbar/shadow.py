"""Is this code running for nobody but us? And where do coroutines run that nobody awaits?"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any

from throwbar.deadline import forget_deadline

if TYPE_CHECKING:
    from asyncio import Task

TASKS = 16

_shadow: ContextVar[bool] = ContextVar("throwbar_shadow", default=False)
_tasks: set[Task[None]] = set()  # also what keeps them from being collected while they run


def is_shadow() -> bool:
    """True inside a call that is made for comparison only: send no e-mail, count no sale."""
    return _shadow.get()


def enter_shadow() -> None:
    """From here on this context is a shadow's, with a time of its own."""
    _shadow.set(True)
    forget_deadline()


def has_room() -> bool:
    """Whether another task might be started now."""
    if len(_tasks) >= TASKS:
        _forget_lost()
    return len(_tasks) < TASKS


def spawn(make: Callable[[], Coroutine[Any, Any, None]], context: Context) -> bool:
    """Start a task on the running loop, unless sixteen are under way. The coroutine must not raise an Exception."""
    from asyncio import get_running_loop  # noqa: PLC0415 - a host without coroutines should not pay for it

    if not has_room():
        return False
    try:
        loop = get_running_loop()
    except RuntimeError:  # a loop of somebody else's making
        return False
    task = loop.create_task(make(), context=context)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return True


def _forget_lost() -> None:
    """A loop that was closed over its tasks will never finish them."""
    for task in list(_tasks):
        if task.get_loop().is_closed():
            _tasks.discard(task)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tasks.clear)  # the parent's loop runs them
