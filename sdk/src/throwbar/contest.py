"""Which of two callables is faster under several clients at once, and how sure is that?

Both are called by the same clients, turn by turn, in an order shuffled within each pair: what disturbs the machine
disturbs both.
"""

from __future__ import annotations

import asyncio
import random
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from throwbar.callables import Colour, colour_of
from throwbar.clock import perf_clock_ns

RESAMPLES = 500
CONFIDENCE = 0.95
QUANTILES = (0.5, 0.95, 0.99)
SIDES = ("baseline", "candidate")


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and where the truth lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """`seconds` of each call of one client, in its order, by side; and the calls that raised."""

    seconds: Sequence[tuple[list[float], list[float]]]
    errors: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of both sides; `ratio` is the candidate's over the baseline's. Seconds, or calls a second."""

    name: str
    baseline: Interval
    candidate: Interval
    ratio: Interval
    more_is_better: bool = False

    def regressed(self, tolerance: float) -> bool:
        """Whether even the kinder end of the interval is worse than the baseline by more than `tolerance`."""
        if self.more_is_better:
            return self.ratio.high < 1 / (1 + tolerance)
        return self.ratio.low > 1 + tolerance


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a run: that many clients make that many calls to each side; the first few count nowhere."""

    clients: int = 10
    iterations: int = 1000
    warm_up: int = 20
    seed: int = 1


def measure(pair: tuple[Callable[..., Any], Callable[..., Any]], arguments: Sequence[Any], shape: Shape) -> Measured:
    """Call both sides. Plain functions get threads, coroutine functions tasks of one event loop.

    Raises ValueError when one is a plain function and the other is not.
    """
    colours = {colour_of(function) for function in pair}
    if len(colours) > 1:
        raise ValueError("one is a plain function, the other a coroutine function")
    chances = [random.Random(f"{shape.seed}/{number}") for number in range(shape.clients)]  # noqa: S311 - no secret
    clients = [_Client(pair, arguments, chance, shape) for chance in chances]
    if colours == {Colour.ASYNC}:
        asyncio.run(_run_tasks(clients))
    else:
        _run_threads(clients)
    errors = [sum(client.errors[side] for client in clients) for side in (0, 1)]
    return Measured([client.seconds for client in clients], (errors[0], errors[1]))


class _Client:
    """Calls both sides by turns, one call at a time."""

    def __init__(
        self, pair: tuple[Callable[..., Any], ...], arguments: Sequence[Any], chance: random.Random, shape: Shape
    ) -> None:
        self._pair = pair
        self._arguments = arguments
        self._warm_up = shape.warm_up
        self.seconds: tuple[list[float], list[float]] = ([], [])
        self.errors = [0, 0]
        self._turns = [
            turn for _ in range(shape.warm_up + shape.iterations) for turn in chance.choice(((0, 1), (1, 0)))
        ]

    def run(self) -> None:
        for number, side in enumerate(self._turns):
            started = perf_clock_ns()
            try:
                self._pair[side](*self._arguments)
            except Exception:  # noqa: BLE001 - the measured code may raise anything; that is counted
                self._failed(number, side)
            self._took(number, side, started)

    async def run_async(self) -> None:
        for number, side in enumerate(self._turns):
            started = perf_clock_ns()
            try:
                await self._pair[side](*self._arguments)
            except Exception:  # noqa: BLE001 - as above
                self._failed(number, side)
            self._took(number, side, started)

    def _failed(self, number: int, side: int) -> None:
        self.errors[side] += number >= 2 * self._warm_up

    def _took(self, number: int, side: int, started: int) -> None:
        if number >= 2 * self._warm_up:
            self.seconds[side].append((perf_clock_ns() - started) / 1e9)


def _run_threads(clients: Sequence[_Client]) -> None:
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def _run_tasks(clients: Sequence[_Client]) -> None:
    await asyncio.gather(*(client.run_async() for client in clients))


def compare(measured: Measured, seed: int = 1) -> list[Comparison]:
    """Quantiles of latency, and throughput: calls a second that the clients would make of this side alone.

    The intervals come from a bootstrap over blocks of a client's neighbouring calls, as these are alike.
    """
    blocks = _blocks(measured)
    clients = len(measured.seconds)
    sides = [_Side([block[side] for block in blocks], clients) for side in (0, 1)]
    truth = [side.figures([1] * len(blocks)) for side in sides]
    drawn = [[side.figures(weights) for side in sides] for weights in _draws(len(blocks), seed)]
    names = [*(f"p{quantile * 100:g}" for quantile in QUANTILES), "calls/s"]
    return [
        Comparison(
            name,
            baseline=_interval(truth[0][row], [ours[row] for ours, _ in drawn]),
            candidate=_interval(truth[1][row], [theirs[row] for _, theirs in drawn]),
            ratio=_interval(truth[1][row] / truth[0][row], [theirs[row] / ours[row] for ours, theirs in drawn]),
            more_is_better=name == "calls/s",
        )
        for row, name in enumerate(names)
    ]


def _draws(blocks: int, seed: int) -> Iterator[list[int]]:
    """How often each block is drawn, once for each resample."""
    chance = random.Random(seed)  # noqa: S311 - resampling, no secret
    for _ in range(RESAMPLES):
        weights = [0] * blocks
        for number in chance.choices(range(blocks), k=blocks):
            weights[number] += 1
        yield weights


class _Side:
    """The calls of one side in the order of their durations, each with its block: sorted once for all resamples."""

    def __init__(self, blocks: Sequence[list[float]], clients: int) -> None:
        ordered = sorted((each, number) for number, block in enumerate(blocks) for each in block)
        self._seconds = [each for each, _ in ordered]
        self._block_of = [number for _, number in ordered]
        self._sums = [(len(block), sum(block)) for block in blocks]
        self._clients = clients

    def figures(self, weights: Sequence[int]) -> list[float]:
        """The quantiles, then the throughput, where each call counts as often as its block was drawn."""
        ranks = list(accumulate(map(weights.__getitem__, self._block_of)))
        places = [bisect_left(ranks, -(-ranks[-1] * round(quantile * 1000) // 1000)) for quantile in QUANTILES]
        calls = sum(weight * count for weight, (count, _) in zip(weights, self._sums, strict=True))
        spent = sum(weight * seconds for weight, (_, seconds) in zip(weights, self._sums, strict=True))
        return [*(max(self._seconds[place], 1e-9) for place in places), self._clients * calls / max(spent, 1e-9)]


def _blocks(measured: Measured) -> list[tuple[list[float], list[float]]]:
    """About a hundred pieces of time, each with both sides in it."""
    size = max(1, round(sum(len(ours) for ours, _ in measured.seconds) / 100))
    return [
        (ours[start : start + size], theirs[start : start + size])
        for ours, theirs in measured.seconds
        for start in range(0, len(ours), size)
    ]


def quantile_of(ordered: Sequence[float], quantile: float) -> float:
    """The smallest value that at least this part of the values does not exceed."""
    return ordered[max(0, -(-len(ordered) * round(quantile * 1000) // 1000) - 1)]


def _interval(value: float, drawn: list[float]) -> Interval:
    drawn.sort()
    return Interval(value, quantile_of(drawn, (1 - CONFIDENCE) / 2), quantile_of(drawn, (1 + CONFIDENCE) / 2))
