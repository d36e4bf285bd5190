"""What is a valid report? Types are strict, counts agree with each other; unknown fields are passed over and counted.

Whatever passes here is folded into buckets later, so nothing may pass that would stop the folding.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from controlplane.domain.histogram import HIGHEST, LOWEST
from controlplane.domain.share import FULL

SCHEMA = 1
MOST_CELLS = 2_000
CATEGORIES = frozenset(
    (
        *("connection", "communication", "timeout", "resource", "throttled", "conflict", "session", "validation"),
        *("initialization", "application", "system", "cancelled"),
    )
)
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and no log should meet an escape sequence

Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=_PRINTABLE)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Histogram = dict[Annotated[int, Meta(ge=LOWEST, le=HIGHEST)], Count]
Tally = Annotated[dict[Annotated[str, Meta(max_length=100, pattern=_PRINTABLE)], Count], Meta(max_length=50)]
AssignedBy = Literal["share", "rule", "override", "pin", "no_key", "disabled", "fallback", "probe", "default"]


class KeyRise(Struct):
    """Where the slowest calls of keys were, and where they went."""

    to: Histogram
    from_: Histogram = field(name="from")


class Cell(Struct, omit_defaults=True):
    """The calls that started in one bucket, by one identity."""

    flag: Word
    operation: Word
    side: Literal["baseline", "candidate"]
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
        _at_most("key_latency", sum(self.key_latency.values()), "keys", self.keys)
        if self.key_rise:
            rose = sum(self.key_rise.to.values())
            _at_most("key_rise.to", rose, "keys", self.keys)
            _at_most("key_rise.from", sum(self.key_rise.from_.values()), "key_rise.to", rose)


class Report(Struct, omit_defaults=True):
    """What an SDK sends (docs/protocol.md)."""

    schema: Literal[1]
    instance: Word
    service: Annotated[str, Meta(max_length=200, pattern=_PRINTABLE)]
    sdk: Annotated[str, Meta(max_length=100, pattern=_PRINTABLE)]
    sequence: Annotated[int, Meta(ge=1, le=1 << 53)]
    sent_at: float
    source: Annotated[str, Meta(max_length=32, pattern=_PRINTABLE)]
    version: Annotated[int, Meta(ge=0, le=1 << 53)]
    cells: Annotated[list[Cell], Meta(max_length=MOST_CELLS)]
    dropped: Tally = field(default_factory=dict)


class MalformedReport(Exception):
    """It can never be accepted; `field` is its path in the report, empty when the whole is no JSON object."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'the report'}: {message}")
        self.field = path
        self.message = message


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
    report = msgspec.json.decode(body)
    rises = [cell["key_rise"] for cell in report["cells"] if cell.get("key_rise")]
    strangers = [_strangers(report, Report)]
    strangers += [_strangers(cell, Cell) for cell in report["cells"]]
    strangers += [_strangers(rise, KeyRise) for rise in rises]
    return sum(strangers)


def _strangers(document: Mapping[str, Any], struct: type[Struct]) -> int:
    return len(document.keys() - set(struct.__struct_encode_fields__))


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
