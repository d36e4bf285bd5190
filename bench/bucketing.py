"""What does a bucket cost, in the SDK and in the server?"""

from collections.abc import Callable, Iterator

import throwbar.decision
from bench.fixtures import KEYS
from bench.measure import Row, microseconds_per_call, reference
from controlplane.domain import bucketing


def rows() -> Iterator[Row]:
    least = reference(KEYS)
    yield Row("bucket, SDK", _microseconds(throwbar.decision.bucket), least)
    yield Row("bucket, server", _microseconds(bucketing.bucket), least)


def _microseconds(bucket: Callable[[str, str], int]) -> float:
    def run() -> int:
        for key in KEYS:
            bucket("dspex-bridge", key)
        return len(KEYS)

    return microseconds_per_call(run)
