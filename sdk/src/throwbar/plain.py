"""How is a call made while all is as usual? In one frame, which is all that a call which goes well pays for.

Usual is: the plan of the newest snapshot is bound, its mode is `single`, it asks no rule, nobody pins or watches, the
breaker is closed, and this thread counts such calls already. For those, `Binding.open`, `Runner.run` and
`Binding.close` are written out once more, in a row: as three calls that hand each other a tuple they take half as
long again. Whatever is not usual, or fails in here, takes the general way from its beginning; so does what follows
when a function raises. tests/sdk/test_plain_calls.py holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmh3 import mmh3_32_uintdigest

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.cell import UNSEEN
from throwbar.engine import Engine
from throwbar.histogram import SLOTS_BY_BITS, UPPER_BOUNDS_NS

Function = Callable[..., Any]

# Of the key and the attributes of a call, and of the arguments that are for the function.
Run = Callable[[object, Mapping[str, Any] | None, tuple[Any, ...], Mapping[str, Any]], Any]
GoOn = Callable[[BaseException, Opened, tuple[Any, ...], Mapping[str, Any]], Any]


def plain_run(  # noqa: C901, PLR0915 - it is long because a call of a function of ours costs as much as counting does
    engine: Engine, binding: Binding, pair: tuple[Function, Function], general: Run, go_on: GoOn
) -> Run:
    """A function that makes one call, to its end or the `general` way.

    It returns what the chosen function of the pair does; when that raises, it is for `go_on` to say what comes of it.
    """
    clock_ns = engine.perf_clock_ns

    def run(key: object, attributes: Mapping[str, Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401, C901, PLR0912, PLR0915 - as above
        snapshot, bound, local, lane, heads, threshold, below, above = binding.lanes
        if snapshot is not engine.snapshot or not (type(key) is str or (key is None and lane is not None)):
            return general(key, attributes, args, kwargs)
        try:
            if lane is None:
                raw = key.encode()  # type: ignore[union-attr]  # None passes with a lane only
                lane = below if mmh3_32_uintdigest(heads[len(raw)] + raw) < threshold else above
            choice, side, breaker, earnings, _ = lane
            cell = local.current[choice]
            started_ns = clock_ns()
            permit = breaker.passing
        except Exception:  # noqa: BLE001 - should it be a bug, then the general way meets it again and tells
            permit = None
        if permit is None or started_ns >= cell.until_ns:
            return general(key, attributes, args, kwargs)
        number = cell.started = cell.started + 1
        if cell.sealed:
            cell.started = number - 1
            return general(key, attributes, args, kwargs)
        earnings.calls += 1
        cell.open[number] = (key, started_ns)
        try:
            function = pair[side]
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as error:  # noqa: BLE001 - the runner raises it, unless there is an answer
            failure = error
        else:
            try:
                ended_ns = clock_ns()
                duration_ns = ended_ns - started_ns
                bits = duration_ns.bit_length()
                window = permit.window.current
                if bits < permit.slow_bits and ended_ns < window.end_ns:
                    window.ok += 1
                else:
                    permit.succeeded(ended_ns, duration_ns)
                try:
                    del cell.open[number]
                except KeyError:
                    return result  # too late: it was reported as pending
                shift, slots = SLOTS_BY_BITS[bits]
                slot = slots[duration_ns >> shift]
                if duration_ns > UPPER_BOUNDS_NS[slot]:
                    slot += 1
                if key is not None and not (cell.mask and hash(key) & cell.mask):
                    keys = cell.keys
                    if slot > keys.get(key, UNSEEN):
                        keys[key] = slot
                        if not number & 63:
                            engine.tally.thin(cell)
                cell.latency[slot] += 1  # the last, see `Cell.finished`
            except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
                engine.note_error(trouble)
            return result
        # Not in the `except`: what is raised from here must not carry this error as its context.
        try:
            opened: Opened = choice, bound, permit, cell, number, key, started_ns
            return go_on(failure, opened, args, kwargs)
        finally:
            del failure  # or the error would keep this frame alive, in a circle

    return run
