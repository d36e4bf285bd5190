"""How small does telemetry stay? A part of a month is stored as the server stores it; the rest is rule of three.

Every operation has calls on both sides in each bucket of ten seconds, day and night, with latencies spread over thirty
buckets of the histogram. A service that sleeps at night takes less.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import text

from bench.databases import stores
from controlplane.domain.arm import Arm
from controlplane.domain.flag import Side
from controlplane.domain.retention import Grain
from controlplane.store import Store
from controlplane.store.cells import Cells, Place
from controlplane.usecases.leading import lead
from controlplane.usecases.retention import pack_next
from tests.builders import NOW

CALLS = (100, 10)  # of one side in ten seconds
KEYS_OF_CALLS = 0.6
OPERATIONS, SIDES = 1_000, 2
MEASURED = 2  # operations
MIB = 1 << 20
# Of thirty days of series: seconds of telemetry that each grain holds by default, and the length of its cells.
KEPT = {Grain.RAW: (48 * 3_600, 10), Grain.MINUTE: (14 * 86_400, 60), Grain.HOUR: (30 * 86_400, 3_600)}
MEASURED_SECONDS = {Grain.RAW: 4 * 3_600, Grain.MINUTE: 86_400, Grain.HOUR: 15 * 86_400}
LIVE_SECONDS = 1_320  # rows that are not packed yet: twelve minutes, and up to ten more


@dataclass(frozen=True, slots=True)
class Size:
    """Cells of `cell_seconds`, each of some bytes with its part of rows and indices, and all of them in a month."""

    what: str
    cell_bytes: float
    cells: int

    @property
    def mebibytes(self) -> float:
        return self.cell_bytes * self.cells / MIB


def main() -> None:
    for calls in CALLS:
        for name, store in stores():
            sizes = [_live(store, calls), *(_packed(store, calls, grain) for grain in Grain)]
            rows = Size("all as rows", sizes[0].cell_bytes, _cells(30 * 86_400, 10))
            print(f"\n{name}: 30 days of {OPERATIONS:,} operations, {calls} calls a side in ten seconds")
            print(f"{'':24}{'bytes a cell':>14}{'cells':>14}{'MiB':>10}")
            for each in (*sizes, rows):
                print(f"{each.what:24}{each.cell_bytes:14.1f}{each.cells:14,}{each.mebibytes:10,.0f}")
            print(f"{'sum without the last':24}{'':28}{sum(each.mebibytes for each in sizes):10,.0f}")
            print(_steps(store))


def _steps(store: Store) -> str:
    """How long one step of packing holds the writer: what was put down as rows is packed."""
    lease = lead(store, "bench", NOW, timedelta(days=3_650))
    assert lease
    took = []
    while True:
        started, cpu = time.perf_counter(), time.process_time()
        if not pack_next(store, lease, NOW + timedelta(days=2)):
            break
        took.append((time.perf_counter() - started, time.process_time() - cpu))
    walls, cpus = zip(*took, strict=True)
    return (
        f"packing: {median(walls) * 1e3:.0f} ms a step, {max(walls) * 1e3:.0f} at most; {median(cpus) * 1e3:.0f} ms CPU"
    )


def _cells(seconds: int, length: int) -> int:
    return seconds // length * OPERATIONS * SIDES


def _live(store: Store, calls: int) -> Size:
    cells = [each for name in range(MEASURED) for each in _series(f"operation-{name}", calls, 3_600, 10)]
    before = _bytes(store)
    for first in range(0, len(cells), 500):
        with store.writing() as uow:
            uow.buckets.add(1, dict(cells[first : first + 500]))
            uow.commit()
    return Size("not packed yet", (_bytes(store) - before) / len(cells), _cells(LIVE_SECONDS, 10))


def _packed(store: Store, calls: int, grain: Grain) -> Size:
    kept, length = KEPT[grain]
    before, number = _bytes(store), 0
    for name in range(MEASURED):
        series = _series(f"operation-{name}", calls, MEASURED_SECONDS[grain], length)
        number += len(series)
        with store.writing() as uow:
            uow.packs.add(1, grain, series)
            uow.commit()
    return Size(f"packed, {grain}", (_bytes(store) - before) / number, _cells(kept, length))


def _series(operation: str, calls: int, seconds: int, length: int) -> Cells:
    dice = random.Random(operation)
    start = int(NOW.timestamp()) // 86_400 * 86_400
    found: list[tuple[Place, Arm]] = []
    for at in range(start, start + seconds, length):
        for side in Side:
            place = Place("dspex-bridge", at, operation, 1, side, f"{side}-pool", "share", 10_000)
            found.append((place, _arm(dice, calls * length // 10)))
    return found


def arm_of(seed: int, expected: int) -> Arm:
    """What one side had in a bucket in which so many calls were expected."""
    return _arm(random.Random(seed), expected)


def _arm(dice: random.Random, expected: int) -> Arm:
    """A tenth of the keys is new or slower than ever before."""
    calls = max(1, round(dice.gauss(expected, expected**0.5)))
    keys = round(calls * KEYS_OF_CALLS)
    bad = sum(dice.random() < 0.002 for _ in range(min(calls, 1_000)))
    return Arm(
        calls=calls,
        bad=bad,
        errors={"timeout": bad} if bad else {},
        keys=keys,
        bad_keys=bad,
        **{name: _histogram(dice, size) for name, size in _sizes(calls, keys).items()},
    )


def _sizes(calls: int, keys: int) -> dict[str, int]:
    return {"latency": calls, "key_latency": keys, "rise_to": keys // 10, "rise_from": keys // 20}


def _histogram(dice: random.Random, size: int) -> dict[int, int]:
    """Durations around 30 ms, spread by a factor of two; many are drawn as a thousand, and noise."""
    drawn = Counter(round(dice.gauss(40, 8)) for _ in range(min(size, 1_000)))
    times = size // 1_000
    if times <= 1:
        return dict(drawn)
    return {index: max(1, round(dice.gauss(n * times, (n * times) ** 0.5))) for index, n in drawn.items()}


def _bytes(store: Store) -> int:
    """With indices; on SQLite without the write-ahead log, which is bounded."""
    with store.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            pages = connection.execute(text("SELECT * FROM pragma_page_count(), pragma_page_size()")).one()
            return int(pages[0]) * int(pages[1])
        both = "pg_total_relation_size('packs') + pg_total_relation_size('buckets')"
        return int(connection.execute(text(f"SELECT {both}")).scalar_one())


if __name__ == "__main__":
    main()
