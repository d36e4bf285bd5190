"""How do many cells of one operation become few bytes? Columns, differences and zlib; nothing is lost.

Measured on cells with 100 calls each: 56 bytes a cell instead of 700, read back in 10 µs.
"""

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import accumulate, pairwise, repeat, starmap
from typing import Any

import msgspec

from controlplane.domain.arm import NO_HALVES, Arm, Halves
from controlplane.domain.flag import Side
from controlplane.store.cells import COUNTS, Cells, Place

ALL = ("latency", "key_latency", "rise_from", "rise_to", "ratio")
SHOWN = frozenset({"latency", "ratio"})  # what is left without the histograms of the keys
_TALLIES = ("errors", "shadow")
PACKED = (*COUNTS, *_TALLIES, *ALL, "halves", "strayed_keys")  # every field of an Arm
_IN_ORDER = [each.name for each in fields(Arm)]  # by position an Arm is made in half the time


def pack(cells: Cells) -> bytes:
    """The cells of one operation, in the order of time."""
    ordered = sorted(cells, key=lambda cell: cell[0].start)
    identities = list(dict.fromkeys(_identity(place) for place, _ in ordered))
    numbers = {identity: number for number, identity in enumerate(identities)}
    starts = [place.start for place, _ in ordered]
    arms = [arm for _, arm in ordered]
    document = {
        "identities": identities,
        "identity": [numbers[_identity(place)] for place, _ in ordered],
        "start": _differences(starts),
        **{name: [getattr(arm, name) for arm in arms] for name in COUNTS},
        **{name: [dict(getattr(arm, name)) for arm in arms] for name in _TALLIES},
        "halves": [arm.halves for arm in arms],
        "strayed_keys": [arm.strayed_keys for arm in arms],
        **{name: _columns([getattr(arm, name) for arm in arms]) for name in ALL},
    }
    return zlib.compress(msgspec.json.encode(document))


def unpack(body: bytes, flag: str, operation: str, histograms: Collection[str] = ALL) -> list[tuple[Place, Arm]]:
    """What was packed; histograms that are not asked for come back empty."""
    document: dict[str, Any] = msgspec.json.decode(zlib.decompress(body))
    cells = len(document["start"])
    unknown = [NO_HALVES] * cells  # in packs that are older than the field, as is what follows
    identities = [
        (attempt, Side(side), backend, assigned_by, share, late)
        for attempt, side, backend, assigned_by, share, late in document["identities"]
    ]
    columns: dict[str, Iterable[Any]] = {
        **{name: document[name] for name in (*COUNTS, *_TALLIES)},
        **{name: _histograms(document[name]) if name in histograms else repeat({}, cells) for name in ALL},
        "halves": (Halves(*each) for each in document.get("halves", unknown)),
        "strayed_keys": document.get("strayed_keys", repeat(None, cells)),
    }
    arms = starmap(Arm, zip(*(columns[name] for name in _IN_ORDER), strict=True))
    return [
        (Place(flag, start, operation, *identities[number]), arm)
        for start, number, arm in zip(accumulate(document["start"]), document["identity"], arms, strict=True)
    ]


class _Counts(msgspec.Struct):
    """The part of a pack that sums are made of: whatever else is in it is passed over unread."""

    identities: list[tuple[int, str, str, str, int, bool]]
    identity: list[int]
    start: list[int]
    calls: list[int]
    bad: list[int]
    cancelled: list[int]


_counts = msgspec.json.Decoder(_Counts).decode


def tallied(body: bytes) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Side, how it was assigned, start, calls, bad and cancelled of each cell: a quarter of the work of `unpack`."""
    pack = _counts(zlib.decompress(body))
    sides = [(side, assigned_by) for _, side, _, assigned_by, _, _ in pack.identities]
    columns = (pack.identity, accumulate(pack.start), pack.calls, pack.bad, pack.cancelled)
    for number, start, calls, bad, cancelled in zip(*columns, strict=True):
        yield *sides[number], start, calls, bad, cancelled


def _identity(place: Place) -> tuple[int, str, str, str, int, bool]:
    return place.attempt, place.side.value, place.backend, place.assigned_by, place.share, place.late


def _differences(numbers: Sequence[int]) -> list[int]:
    return [*numbers[:1], *(later - earlier for earlier, later in pairwise(numbers))]


def _columns(histograms: Sequence[Mapping[int, int]]) -> list[list[int]]:
    """How many entries each has, then all indices as differences within their histogram, then all counts."""
    ordered = [sorted(each.items()) for each in histograms]
    return [
        [len(each) for each in ordered],
        [step for each in ordered for step in _differences([index for index, _ in each])],
        [count for each in ordered for _, count in each],
    ]


def _histograms(columns: Sequence[list[int]]) -> Iterable[dict[int, int]]:
    sizes, steps, counts = columns
    first = 0
    for size in sizes:
        until = first + size
        yield dict(zip(accumulate(steps[first:until]), counts[first:until], strict=True)) if size else {}
        first = until
