"""What does a tick cost? Processor time by what there is to judge, on each database; none of it is held to a time.

A series of telemetry is one side of one operation. `quiet` has no new bucket, `one bucket` has one of each series,
`from scratch` has no watch and some minutes of buckets, as after a migration of the database. Beside them: what the
evidence alone takes; the rest of a tick is reading cells, summing histograms, wording findings and writing what was
found.
"""

import argparse
import cProfile
import pstats
import time
from datetime import datetime, timedelta

from bench.databases import stores
from bench.measure import Row
from bench.retention import arm_of
from controlplane.domain.arm import Arm
from controlplane.domain.evidence import Pair, Wealth, comparison_factors, staked
from controlplane.domain.flag import Side
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.cells import Place
from controlplane.store.lease import Lease
from controlplane.usecases import flags
from controlplane.usecases.leading import lead
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause

OPERATIONS = 10
SCRATCH_BUCKETS = 6
ROUNDS = 3
SERIES = 30_000
BUCKET_SECONDS = 10
EVIDENCE = 8  # series of evidence of an operation here: errors, five edges of latency, two limits


class Ground:
    """Flags that are all exposed and guarded, and buckets for all of them."""

    def __init__(self, store: Store, number: int) -> None:
        self.store = store
        self.now: datetime = NOW + timedelta(seconds=60)
        self.series = number * OPERATIONS * len(Side)
        self._keys = [f"flag-{each}" for each in range(number)]
        self._arms = [arm_of(each, 100) for each in range(50)]
        taken = lead(store, "bench", NOW, timedelta(days=3_650))
        assert taken
        self.lease: Lease = taken
        for key in self._keys:
            flags.create_flag(store, "production", _document(key), a_cause(NOW))

    def pass_a_bucket(self) -> None:
        """Ten seconds go by, in which every series has calls."""
        start = int(self.now.timestamp()) // BUCKET_SECONDS * BUCKET_SECONDS
        cells = {place: self._arm(number, start) for number, place in enumerate(self._places(start))}
        with self.store.writing() as uow:
            uow.buckets.add(1, cells)
            uow.commit()
        self.now += timedelta(seconds=BUCKET_SECONDS)

    def _arm(self, number: int, start: int) -> Arm:
        """Another in each bucket: of two sides that never change, one is slower for ever, and is rolled back for it."""
        return self._arms[(number + start // BUCKET_SECONDS * 7) % len(self._arms)]

    def _places(self, start: int) -> list[Place]:
        return [
            Place(key, start, f"operation-{number}", 1, side, f"{side}-pool", "share", 10_000)
            for key in self._keys
            for number in range(OPERATIONS)
            for side in Side
        ]

    def forget_watches(self) -> None:
        with self.store.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM watches")

    def tick(self) -> float:
        """Seconds of processor time, of this process alone."""
        at = self.now + timedelta(seconds=20)
        started = time.process_time()
        report = tick(self.store, lambda: at, Clockwork(), self.lease)
        spent = time.process_time() - started
        assert (report.judged, report.failures) == (len(self._keys), 0)
        return spent


def _document(key: str) -> dict[str, object]:
    return {
        "key": key,
        "baseline": "baseline-pool",
        "candidate": "candidate-pool",
        "enabled": True,
        "operations": {f"operation-{number}": {"percent": 10} for number in range(OPERATIONS)},
        "guardrails": {"max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}},
    }


def measured(ground: Ground) -> dict[str, float]:
    """What → seconds of processor time, the least of some rounds."""
    for _ in range(SCRATCH_BUCKETS):
        ground.pass_a_bucket()
    scratch = [_from_scratch(ground) for _ in range(ROUNDS)]
    quiet = [ground.tick() for _ in range(ROUNDS)]
    one = [_one_bucket(ground) for _ in range(ROUNDS)]
    return {"quiet": min(quiet), "one bucket": min(one), f"from scratch, {SCRATCH_BUCKETS} buckets": min(scratch)}


def _from_scratch(ground: Ground) -> float:
    ground.forget_watches()
    return ground.tick()


def _one_bucket(ground: Ground) -> float:
    ground.pass_a_bucket()
    return ground.tick()


def kernel() -> float:
    """Seconds of processor time of one update of each of 30 000 e-processes: what a check costs without a database."""
    pairs = [Pair(100, 900, bad, 9) for bad in range(10)]
    wealths = [Wealth()] * SERIES
    started = time.process_time()
    for number, wealth in enumerate(wealths):
        factors = comparison_factors([pairs[number % 10]], ratio=1.1, margin=0.0005)
        wealths[number] = staked(wealth, factors)
    return time.process_time() - started


def rows(number: int = 100) -> list[Row]:
    """Microseconds a series; the reference is the same on a quiet tick."""
    found = []
    for name, store in stores():
        ground = Ground(store, number)
        spent = {what: seconds / ground.series * 1e6 for what, seconds in measured(ground).items()}
        found += [Row(f"{name}, {ground.series} series, {what}", us, spent["quiet"]) for what, us in spent.items()]
    return found


def part_of_a_core(microseconds: float, operations: int) -> str:
    """What whole ticks of so many busy operations take, at so much a series of telemetry."""
    spent = operations * len(Side) * microseconds / 1e6
    evidence = f"{operations} busy operations ({operations * EVIDENCE} series of evidence)"
    return f"{evidence} take {spent:.2f} s of {BUCKET_SECONDS}, {100 * spent / BUCKET_SECONDS:.1f} % of a core"


def profile(number: int) -> None:
    """Where the time of a tick with one bucket goes, on SQLite."""
    for _, store in stores():
        ground = Ground(store, number)
        ground.pass_a_bucket()
        ground.tick()
        ground.pass_a_bucket()
        profiler = cProfile.Profile()
        profiler.runcall(ground.tick)
        pstats.Stats(profiler).sort_stats("cumtime").print_stats(60)
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flags", type=int, nargs="?", default=100)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    if asked.profile:
        profile(asked.flags)
        return
    spent = min(kernel() for _ in range(ROUNDS))
    print(
        f"{SERIES} e-processes, updated: {spent:.2f} s of processor time, {100 * spent / 10:.1f} % of a check of 10 s"
    )
    for row in rows(asked.flags):
        print(f"{row.name:52}{row.microseconds:10.1f} µs a series")
        if row.name.endswith("one bucket"):
            print(f"  so {', '.join(part_of_a_core(row.microseconds, number) for number in (1_000, 4_000))}")


if __name__ == "__main__":
    main()
