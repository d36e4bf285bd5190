"""What is a valid report? Types are strict, counts agree with each other; unknown fields are passed over and counted.

Whatever passes here is folded into buckets later, so nothing may pass that would stop the folding.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from controlplane.domain.share import FULL
from web.edge.told import (
    Breaker,
    Breakers,
    Difference,
    Diverged,
    Mismatch,
    Mismatches,
    Receipt,
    Receipts,
    Seen,
    Shadow,
    SideSoFar,
    Site,
    Sites,
    SoFar,
)
from web.edge.words import PRINTABLE, Count, Histogram, Ratios, Side, Tally, Word

SCHEMA = 1
MOST_CELLS = 2_000
CATEGORIES = frozenset(
    (
        *("connection", "communication", "timeout", "resource", "throttled", "conflict", "session", "validation"),
        *("initialization", "application", "system", "breaker", "cancelled"),
    )
)
MOST_OVERRIDES = 1_000
LONGEST_PLACE = 201  # flag/operation
_OPERATION = re.compile(r"[^/]{1,100}/[^/]{1,100}")
_Decided = Literal["share", "rule", "override", "pin", "no_key", "disabled", "default"]
AssignedBy = _Decided | Literal["fallback", "breaker", "probe", "shadow"]


class KeyRise(Struct):
    """Where the slowest calls of keys were, and where they went."""

    to: Histogram
    from_: Histogram = field(name="from")


class Halves(Struct):
    """Keys of a cell in the first and in the second half of all keys: those seen, and those that failed, first."""

    fresh_keys: tuple[Count, Count]
    bad_keys: tuple[Count, Count]


class Cell(Struct, omit_defaults=True):
    """The calls that started in one bucket, by one identity."""

    flag: Word
    operation: Word
    side: Side
    backend: Word
    attempt: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    assigned_by: AssignedBy
    share: Annotated[int, Meta(ge=0, le=FULL)]
    start: Annotated[int, Meta(ge=0, le=1 << 40)]
    calls: Count
    ok: Count
    errors: Tally
    pending: Count
    latency: Histogram
    keys: Count
    bad_keys: Count
    key_latency: Histogram
    key_rise: KeyRise | None = None
    halves: Halves | None = None
    strayed_keys: Count | None = None
    retries: Count = 0
    fallbacks: Count = 0
    unknown: Count = 0
    shadow: Shadow | None = None
    ratio: Ratios = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.errors.keys() - CATEGORIES:
            self.errors["system"] = self.errors.get("system", 0) + self.errors.pop(name)
        self._require_agreement()

    def _require_agreement(self) -> None:
        """Raises ValueError, which msgspec turns into a ValidationError with the path of the cell."""
        errors = sum(self.errors.values())
        if self.calls != self.ok + errors + self.pending:
            raise ValueError(f"calls is {self.calls}, but ok + errors + pending is {self.ok + errors + self.pending}")
        _at_most("latency", sum(self.latency.values()), "calls", self.calls)
        _at_most("keys", self.keys, "calls", self.calls)
        _at_most("bad_keys", self.bad_keys, "keys", self.keys)
        _at_most("fallbacks", self.fallbacks, "calls", self.calls)
        _at_most("unknown", self.unknown, "calls", self.calls)
        _at_most("key_latency", sum(self.key_latency.values()), "keys", self.keys)
        _at_most("strayed_keys", self.strayed_keys or 0, "keys", self.keys)
        if self.halves:
            _at_most("halves.fresh_keys", sum(self.halves.fresh_keys), "keys", self.keys)
            _at_most("halves.bad_keys", sum(self.halves.bad_keys), "bad_keys", self.bad_keys)
        if self.key_rise:
            rose = sum(self.key_rise.to.values())
            _at_most("key_rise.to", rose, "keys", self.keys)
            _at_most("key_rise.from", sum(self.key_rise.from_.values()), "key_rise.to", rose)


class Report(Struct, omit_defaults=True):
    """What an SDK sends (docs/protocol.md)."""

    schema: Literal[1]
    instance: Word
    service: Annotated[str, Meta(max_length=200, pattern=PRINTABLE)]
    sdk: Annotated[str, Meta(max_length=100, pattern=PRINTABLE)]
    sequence: Annotated[int, Meta(ge=1, le=1 << 53)]
    sent_at: float
    source: Annotated[str, Meta(max_length=32, pattern=PRINTABLE)]
    version: Annotated[int, Meta(ge=0, le=1 << 53)]
    cells: Annotated[list[Cell], Meta(max_length=MOST_CELLS)]
    dropped: Tally = field(default_factory=dict)
    breakers: Breakers = field(default_factory=list)
    mismatches: Mismatches = field(default_factory=list)
    receipts: Receipts = field(default_factory=list)
    sites: Sites = field(default_factory=list)
    overrides: dict[str, Side] = field(default_factory=dict)
    divergences: dict[str, Count] = field(default_factory=dict)
    diverged: dict[str, Diverged] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Overrides come out of a file that a person wrote: what is no place in it must not cost a report."""
        places = [place for place in self.overrides if _is_place(place)]
        if len(places) < len(self.overrides) or len(places) > MOST_OVERRIDES:
            self.overrides = {place: self.overrides[place] for place in places[:MOST_OVERRIDES]}
        for name, told in {"divergences": [*self.divergences], "diverged": [*self.diverged]}.items():
            if not all(_is_place(place) and _OPERATION.fullmatch(place) for place in told):
                raise ValueError(f"{name} names something else than a flag/operation")


class MalformedReport(Exception):
    """It can never be accepted; `field` is its path in the report, empty when the whole is no JSON object."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'the report'}: {message}")
        self.field = path
        self.message = message


_NESTED: Mapping[type[Struct], Mapping[str, type[Struct]]] = {
    Report: {"cells": Cell, "breakers": Breaker, "mismatches": Mismatch, "receipts": Receipt, "sites": Site},
    Cell: {"key_rise": KeyRise, "halves": Halves, "shadow": Shadow},
    Breaker: {"so_far": SoFar},
    SoFar: {"baseline": SideSoFar, "candidate": SideSoFar},
    Mismatch: {"paths": Difference},
    Difference: {"baseline": Seen, "candidate": Seen},
}
_MISSING = re.compile("Object missing required field `(.+)`")
_decoder = msgspec.json.Decoder(Report)


def parse_report(body: bytes) -> Report:
    """Raises MalformedReport."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedReport("", str(error)) from None
    except RecursionError:
        raise MalformedReport("", "is nested too deeply") from None


def count_unknown_fields(body: bytes, canonical: bytes) -> int:
    """How many fields of a valid report have no meaning here.

    A body as long as its canonical form hides none, and that is what services send: they pay nothing for this.
    """
    if len(body) == len(canonical):
        return 0
    return _strangers(msgspec.json.decode(body), Report)


def _strangers(document: Mapping[str, Any], struct: type[Struct]) -> int:
    found = len(document.keys() - set(struct.__struct_encode_fields__))
    for name, inner in _NESTED.get(struct, {}).items():
        below = document.get(name) or ()
        found += sum(_strangers(each, inner) for each in (below if isinstance(below, list) else [below]) if each)
    return found


def _is_place(text: str) -> bool:
    return len(text) <= LONGEST_PLACE and re.fullmatch(PRINTABLE, text) is not None


def _at_most(name: str, value: int, limit_name: str, limit: int) -> None:
    if value > limit:
        raise ValueError(f"{name} counts {value}, more than {limit_name} ({limit})")


def _named(complaint: str) -> MalformedReport:
    """msgspec tells a missing field in the sentence about the object it is missing from."""
    message, _, place = complaint.partition(" - at ")
    missing = _MISSING.fullmatch(message)
    if missing:
        return MalformedReport(f"{_path(place)}.{missing[1]}".strip("."), "is missing")
    return MalformedReport(_path(place), message)


def _path(place: str) -> str:
    """`` `$.cells[0].calls` `` → `cells.0.calls`."""
    path = place.replace("`key` in ", "").strip("`").removeprefix("$").replace("[...]", "")
    return path.replace("[", ".").replace("]", "").strip(".")
