"""What does a decision cost in the SDK, any of 2 000 flags and a new key each time?"""

from collections.abc import Iterator

from bench.fixtures import KEYS, document
from bench.measure import Row, microseconds_per_call, reference
from throwbar.decision import decide
from throwbar.plan import OperationPlan
from throwbar.snapshot import compile_snapshot

Calls = list[tuple[OperationPlan, str]]


def rows() -> Iterator[Row]:
    least = reference(KEYS)
    yield Row("decide, sticky share of 10 %", _microseconds(_calls(share=10_000)), least)
    yield Row("decide, share of 0 %", _microseconds(_calls(share=0)), least)


def _calls(share: int) -> Calls:
    plans = [flag.plan("echo") for flag in compile_snapshot(document(2_000, share=share)).flags.values()]
    return [(plans[number * 7 % len(plans)], key) for number, key in enumerate(KEYS)]


def _microseconds(calls: Calls) -> float:
    def run() -> int:
        for plan, key in calls:
            decide(plan, key)
        return len(calls)

    return microseconds_per_call(run)
