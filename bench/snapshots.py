"""What does a new snapshot of 2 000 flags cost the SDK? The reference is to read its JSON and do nothing with it."""

import json
from collections.abc import Iterator

from bench.fixtures import document
from bench.measure import Row, microseconds_per_call
from throwbar.snapshot import NOTHING, Snapshot, compile_snapshot, parse

FLAGS = 2_000


def rows() -> Iterator[Row]:
    body = json.dumps(document(FLAGS)).encode()
    changed = document(FLAGS, version=2)
    changed["flags"]["flag-7"]["operations"]["echo"]["share"] = 0
    known = compile_snapshot(parse(body))
    least = microseconds_per_call(lambda: len([json.loads(body)]))
    yield Row(f"first snapshot, {FLAGS} flags", _microseconds(body, NOTHING), least)
    yield Row(f"one flag of {FLAGS} changed", _microseconds(json.dumps(changed).encode(), known), least)


def _microseconds(body: bytes, previous: Snapshot) -> float:
    return microseconds_per_call(lambda: len([compile_snapshot(parse(body, previous.flags), previous)]))
