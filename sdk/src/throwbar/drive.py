"""Who carries out the steps of a call? A plain caller here and now, or a coroutine."""

from __future__ import annotations

import time
from typing import Any

from throwbar.steps import Call, Ended, Function, Steps, steps

_SLEPT = Ended(None)


def drive(call: Call, first: Ended | None = None) -> Any:  # noqa: ANN401 - whatever the function returns
    """Run a call to its end: its result is returned, its exception raised, both untouched."""
    machine, ended = steps(call, first), first
    wanted = _next(call, machine, None)
    while not isinstance(wanted, Ended):
        try:
            if isinstance(wanted, float):
                time.sleep(wanted)
                step = _SLEPT
            else:
                step = ended = Ended(wanted(*call.args, **call.kwargs))
        except BaseException as error:  # noqa: BLE001 - it is raised below, or an answer is found
            step = ended = Ended(None, error)
        wanted = _next(call, machine, step, ended)
    return _deliver(wanted)


async def drive_async(call: Call, first: Ended | None = None) -> Any:  # noqa: ANN401 - as above
    """The same for coroutine functions, whose attempts end when their time does."""
    import asyncio  # noqa: PLC0415 - whoever gets here has loaded it

    machine, ended = steps(call, first), first
    wanted = _next(call, machine, None)
    while not isinstance(wanted, Ended):
        try:
            if isinstance(wanted, float):
                await asyncio.sleep(wanted)
                step = _SLEPT
            elif call.deadline is None:
                step = ended = Ended(await wanted(*call.args, **call.kwargs))
            else:
                async with asyncio.timeout(call.deadline.remaining()):
                    step = ended = Ended(await wanted(*call.args, **call.kwargs))
        except BaseException as error:  # noqa: BLE001 - as above
            step = ended = Ended(None, error)
        wanted = _next(call, machine, step, ended)
    return _deliver(wanted)


def _next(call: Call, machine: Steps, step: Ended | None, ended: Ended | None = None) -> Function | float | Ended:
    """The next thing to do, or the end. A bug of ours ends the call with what its backend said last."""
    try:
        return next(machine) if step is None else machine.send(step)
    except StopIteration as done:
        answer: Ended | None = done.value or ended  # None is the answer of a machine that broke, see below
        return answer or call.functions[0]
    except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
        call.engine.note_error(error)
        return ended or call.functions[0]


def _deliver(ended: Ended) -> Any:  # noqa: ANN401 - as above
    error = ended.error
    if error is None:
        return ended.result
    try:
        raise error
    finally:
        del error, ended  # or the exception would keep its own frames alive, in a circle
