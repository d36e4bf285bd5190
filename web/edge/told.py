"""What may a report tell besides its cells? Breakers, mismatches and receipts: single things, in bounded lists."""

from typing import Annotated

from msgspec import Meta, Struct, field

from web.edge.words import Count, Instant, LongWord, Side, Word

MOST_BREAKERS = 1_000
MOST_MISMATCHES = 500
MOST_RECEIPTS = 500
MOST_PATHS = 20
MOST_SITES = 500


class Shadow(Struct, omit_defaults=True):
    """What came of calls that were also made at the other side."""

    pairs: Count = 0
    match: Count = 0
    mismatch: Count = 0
    failed: Count = 0
    compare_errors: Count = 0
    dropped: Count = 0


class Diverged(Struct, omit_defaults=True):
    """Dual writes by the side whose store misses them, and those of them that it has got since."""

    baseline_missing: Count = 0
    candidate_missing: Count = 0
    baseline_reconciled: Count = 0
    candidate_reconciled: Count = 0


class SideSoFar(Struct):
    """Keys that the share drew to one side; those `failed` the backend itself failed for, `bad` also the refused."""

    keys: Count
    bad_keys: Count
    failed_keys: Count = 0

    def __post_init__(self) -> None:
        if not self.failed_keys <= self.bad_keys <= self.keys:
            raise ValueError("failed_keys must be at most bad_keys, and bad_keys at most keys")


class SoFar(Struct, omit_defaults=True):
    """What an operation's keys have come to that no cell has told of yet; `start` is that of the newest bucket."""

    attempt: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    start: Annotated[int, Meta(ge=0, le=1 << 40)]
    baseline: SideSoFar
    candidate: SideSoFar


class Breaker(Struct, omit_defaults=True):
    """One that is not closed, or that changed since the report before."""

    flag: Word
    operation: Word
    side: Side
    state: Word
    since: Instant
    failure_rate: Annotated[float, Meta(ge=0, le=1)] | None = None
    opens: Count = 0
    so_far: SoFar | None = None


class Site(Struct, omit_defaults=True):
    """A place in a service's code that registers an operation; `call` is the method it does it with.

    `modes` are those it can be in there; empty where that was not told.
    """

    flag: Word
    operation: Word
    call: Word
    place: LongWord
    modes: Annotated[list[Word], Meta(max_length=10)] = field(default_factory=list)


class Seen(Struct, omit_defaults=True):
    """What one side has at a place: its type, and a keyed hash unless the service's own code shows the value."""

    type: LongWord
    size: Count | None = None
    hash: LongWord | None = None
    value: Annotated[str, Meta(max_length=300)] | float | int | bool | None = None


class Difference(Struct, omit_defaults=True):
    """One place where two answers differ."""

    path: Annotated[str, Meta(max_length=4_096)]
    baseline: Seen | None = None
    candidate: Seen | None = None


class Mismatch(Struct, omit_defaults=True):
    """An example of two answers that differ; `key` is a keyed hash."""

    flag: Word
    operation: Word
    at: Instant
    paths: Annotated[list[Difference], Meta(max_length=MOST_PATHS)]
    key: Word | None = None


class Receipt(Struct, omit_defaults=True):
    """A write of which nobody knows whether it was done."""

    flag: Word
    operation: Word
    side: Side
    at: Instant
    key: Word | None = None
    idempotency_key: Annotated[str, Meta(max_length=200)] | None = None


Breakers = Annotated[list[Breaker], Meta(max_length=MOST_BREAKERS)]
Mismatches = Annotated[list[Mismatch], Meta(max_length=MOST_MISMATCHES)]
Receipts = Annotated[list[Receipt], Meta(max_length=MOST_RECEIPTS)]
Sites = Annotated[list[Site], Meta(max_length=MOST_SITES)]
