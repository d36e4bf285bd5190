"""Evaluating: on the event loop what is over in no time, and beside it what a caller could make long.

Targeting goes through lists of the caller. One of 64 KiB takes about a second with ten operators, and polls and reports
of everybody else would wait for it.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from controlplane.evaluator import Context, Evaluation, Evaluator, Failure

SMALL = 4_096  # bytes of attributes as JSON
_AT_ONCE = 50  # flags evaluated before other requests get their turn


async def evaluate(evaluator: Evaluator, key: str, context: Context) -> Evaluation | Failure:
    return (await evaluate_each(evaluator, (key,), context))[0]


async def evaluate_each(evaluator: Evaluator, keys: Sequence[str], context: Context) -> Sequence[Evaluation | Failure]:
    """In the order of the keys."""
    if len(msgspec.json.encode(context.attributes)) > SMALL:
        return await asyncio.to_thread(lambda: [evaluator.evaluate(key, context) for key in keys])
    found = []
    for number, key in enumerate(keys, start=1):
        found.append(evaluator.evaluate(key, context))
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found
