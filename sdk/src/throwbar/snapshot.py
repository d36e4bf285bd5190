"""What does the control plane want? The polled document, checked and compiled. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from throwbar.errors import SnapshotError
from throwbar.fields import check_fields
from throwbar.names import LONGEST, sendable
from throwbar.plan import NO_OVERRIDES, FlagPlan, Overrides
from throwbar.reading import SLICE, plan_of, read

SCHEMA = 1
BUCKETING = "flagd-v3"
_FRAME = {"environment": str, "source": str, "bucketing": str, "flags": dict, "version": int}


class Snapshot(NamedTuple):
    """One version of everything. Compared by identity: a new object is a new state of the world."""

    environment: str
    source: str
    version: int
    bucket_seconds: int
    outcome_deadline_seconds: float
    flags: Mapping[str, FlagPlan]

    @property
    def etag(self) -> str:
        return f'"{self.source}.{self.version}"'

    @property
    def ready(self) -> bool:
        return self.source != ""


NOTHING = Snapshot("", "", 0, 10, 10.0, {})


def parse(
    body: bytes, known: Mapping[str, FlagPlan] = NOTHING.flags, breathe: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """The document behind the bytes, its frame checked; `compile_snapshot` checks the flags. Raises SnapshotError.

    Flags that are written like `known` ones are those. `breathe` is called between slices of flags, so that other
    threads get their turn.
    """
    try:
        document = read(body, known, breathe)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"the snapshot is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise SnapshotError("the snapshot is not a JSON object")
    if document.get("schema") != SCHEMA:
        raise SnapshotError(f"schema is {document.get('schema')!r}, this SDK reads {SCHEMA}")
    check_fields(document, (), _FRAME, _FRAME)
    _check_telemetry(document.get("telemetry", {}))
    # It is sent back in a header: one that no header can carry would be the last snapshot that is ever polled.
    if document["source"] and not (document["source"].isascii() and sendable(document["source"])):
        raise SnapshotError(f"source is not a name of up to {LONGEST} printable ASCII characters")
    if not document["source"] or document["version"] < 1:
        raise SnapshotError("source is empty or version is below 1")
    return document


def compile_snapshot(
    document: Mapping[str, Any],
    previous: Snapshot = NOTHING,
    overrides: Overrides = NO_OVERRIDES,
    breathe: Callable[[], object] = lambda: None,
) -> Snapshot:
    """Compile a parsed document; a plan that `parse` knew again stays. Raises SnapshotError that names a field.

    `previous` is asked for flags that came without their text. `breathe` as above.
    """
    readable = document["bucketing"] == BUCKETING
    flags: dict[str, FlagPlan] = {}
    for number, (key, told) in enumerate(document["flags"].items(), 1):
        plan = told if type(told) is FlagPlan else plan_of(key, told, previous.flags.get(key))
        if plan is not None:
            flags[key] = plan.under(overrides, readable=readable)
        if not number % SLICE:
            breathe()
    telemetry = document.get("telemetry", {})
    return Snapshot(
        document["environment"],
        document["source"],
        document["version"],
        telemetry.get("bucket_seconds", NOTHING.bucket_seconds),
        float(telemetry.get("outcome_deadline_seconds", NOTHING.outcome_deadline_seconds)),
        flags,
    )


def under(snapshot: Snapshot, overrides: Overrides) -> Snapshot:
    """The same snapshot, obeyed by a machine with other overrides."""
    flags = snapshot.flags.items()
    return snapshot._replace(flags={key: flag.under(overrides, readable=flag.readable) for key, flag in flags})


def supersedes(document: Mapping[str, Any], current: Snapshot) -> bool:
    """A lower version of the same source is a late answer: applying it could undo a rollback."""
    return bool(document["source"] != current.source or document["version"] >= current.version)


def _check_telemetry(telemetry: object) -> None:
    if not isinstance(telemetry, dict):
        raise SnapshotError("telemetry is not an object")
    seconds = telemetry.get("bucket_seconds", 10)
    deadline = telemetry.get("outcome_deadline_seconds", 10)
    if type(seconds) is not int or not 1 <= seconds <= 3600:
        raise SnapshotError("telemetry.bucket_seconds is not a whole number from 1 to 3600")
    if type(deadline) not in (int, float) or not 0 <= deadline <= 3600:
        raise SnapshotError("telemetry.outcome_deadline_seconds is not a number from 0 to 3600")
