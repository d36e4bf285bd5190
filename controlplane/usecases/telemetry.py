"""Telemetry: making reports durable at once, and folding them into buckets later."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.arm import NO_HALVES, Arm, Halves, total
from controlplane.domain.flag import Side
from controlplane.store import Store, UnitOfWork
from controlplane.store.instances import NEVER, Instance
from controlplane.store.journal import JournalRow
from controlplane.store.lease import Lease
from controlplane.store.reports import Place
from controlplane.usecases.callers import note_callers
from controlplane.usecases.examples import Received, fold_examples, noise_apart

ROWS_AT_ONCE = 200  # journal rows folded in one transaction
TOO_EARLY = 120  # seconds a bucket may start in the future of the server's clock
TOO_OLD = 600  # seconds after which a report is kept out: it is history, not health
KEEP = timedelta(days=30)
KEEP_INSTANCES = timedelta(days=7)
KEEP_BATCHES = timedelta(seconds=TOO_OLD + 2 * TOO_EARLY)  # of metrics: what is older is refused for its age


@dataclass(frozen=True, slots=True)
class Incoming:
    """A validated report: its head, what it tells of the process itself, and its JSON as bytes."""

    environment: str
    instance: str
    service: str
    sdk: str
    sequence: int
    source: str
    version: int
    body: bytes
    breakers: Sequence[Mapping[str, Any]] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    sites: Sequence[Mapping[str, Any]] = ()


def record_reports(store: Store, batch: Sequence[Incoming], now: datetime) -> dict[str, tuple[str, int]]:
    """Durable when this returns; a (instance, sequence) that was recorded before is not recorded again.

    Returns environment → (source, newest snapshot version). Raises NotFound.
    """
    newest: dict[str, tuple[str, int]] = {}
    with store.writing() as uow:
        for name in sorted({each.environment for each in batch}):  # one order, so that two replicas never deadlock
            environment = uow.environments.get(name)
            fresh = _fresh(uow, environment.id, [each for each in batch if each.environment == name], now)
            if fresh:
                uow.journal.append(environment.id, now, b"[" + b",".join(each.body for each in fresh) + b"]")
            newest[name] = (environment.source, environment.version)
        uow.commit()
    return newest


def _fresh(uow: UnitOfWork, environment_id: int, batch: Sequence[Incoming], now: datetime) -> list[Incoming]:
    known = _known(uow, environment_id, batch, now)
    seen = dict(known)
    fresh = []
    for each in sorted(batch, key=lambda report: report.sequence):
        before = seen[each.instance]
        if each.sequence > before.sequence:
            fresh.append(each)
            seen[each.instance] = _instance(each, before, now)
    uow.instances.save(environment_id, [seen[name] for name in known if seen[name] is not known[name]])
    return fresh


def _known(uow: UnitOfWork, environment_id: int, batch: Sequence[Incoming], now: datetime) -> dict[str, Instance]:
    """The processes of these reports, locked. A new one is added first: a poll or a copy of its report may come too."""
    by_name = {each.instance: each for each in batch}
    known = uow.instances.named(environment_id, by_name)
    if missing := by_name.keys() - known.keys():
        uow.instances.add(environment_id, [_unheard(by_name[name], now) for name in missing])
        known |= uow.instances.named(environment_id, missing)
    return known


def _unheard(report: Incoming, now: datetime) -> Instance:
    return Instance(report.instance, report.service, report.sdk, NEVER, report.source, report.version, now, now)


def _instance(report: Incoming, before: Instance, now: datetime) -> Instance:
    return Instance(
        instance=report.instance,
        service=report.service,
        sdk=report.sdk,
        sequence=report.sequence,
        source=report.source,
        version=report.version,
        first_seen_at=before.first_seen_at,
        last_seen_at=now,
        breakers=report.breakers,
        overrides=report.overrides,
        sites=report.sites or before.sites,  # told now and then, and true until told otherwise
    )


def fold(store: Store, lease: Lease) -> int:
    """Turn journal rows into buckets until none is left; how many rows there were. Raises LeaseLost."""
    folded = 0
    while count := _fold_some(store, lease):
        folded += count
    return folded


def _fold_some(store: Store, lease: Lease) -> int:
    with store.writing() as uow:
        uow.leases.check(lease)
        rows = uow.journal.oldest(ROWS_AT_ONCE)
        for environment_id in dict.fromkeys(row.environment_id for row in rows):
            _fold_environment(uow, environment_id, [row for row in rows if row.environment_id == environment_id])
        uow.journal.drop(rows)
        uow.commit()
    return len(rows)


def _fold_environment(uow: UnitOfWork, environment_id: int, rows: Sequence[JournalRow]) -> None:
    known = uow.flags.keys(environment_id)
    judged = uow.watches.judged_until(environment_id)
    cells: dict[Place, list[Arm]] = {}
    refused = {"unknown_flag": 0, "out_of_time": 0}
    reports = [(report, row.received_at) for row in rows for report in json.loads(row.body)]
    for cell, received_at in _cells(reports):
        cause = _refusal(cell, known, received_at)
        if cause:
            refused[cause] += 1
            continue
        place = _place(cell)
        attempt, until = judged.get(place.flag, (0, 0))
        late = place.attempt < attempt or (place.attempt == attempt and place.start < until)
        cells.setdefault(replace(place, late=late), []).append(arm_of(cell))
    sums = {place: total(arms) for place, arms in cells.items()}
    uow.buckets.add(environment_id, noise_apart(uow, environment_id, sums, rows[-1].received_at))
    fold_examples(uow, environment_id, reports, known)
    note_callers(uow, environment_id, reports, known)
    for cause, number in refused.items():
        if number:
            uow.counters.add(f"telemetry:{environment_id}:{cause}", number)


def _cells(reports: Iterable[Received]) -> Iterable[Received]:
    return ((cell, received_at) for report, received_at in reports for cell in report["cells"])


def _refusal(cell: Mapping[str, Any], known: frozenset[str], received_at: datetime) -> str | None:
    """By the instant of receipt: a scheduler that slept must not throw away what was accepted meanwhile."""
    if cell["flag"] not in known:
        return "unknown_flag"
    age = received_at.timestamp() - cell["start"]
    return "out_of_time" if age < -TOO_EARLY or age > TOO_OLD else None


def _place(cell: Mapping[str, Any]) -> Place:
    return Place(
        flag=cell["flag"],
        start=cell["start"],
        operation=cell["operation"],
        attempt=cell["attempt"],
        side=Side(cell["side"]),
        backend=cell["backend"],
        assigned_by=cell["assigned_by"],
        share=cell["share"],
    )


def arm_of(cell: Mapping[str, Any]) -> Arm:
    """A reported cell as counts: errors and pending calls are bad, cancelled ones neither good nor bad."""
    errors: Mapping[str, int] = cell["errors"]
    cancelled = errors.get("cancelled", 0)
    rise, halves = cell.get("key_rise") or {}, cell.get("halves")
    return Arm(
        calls=cell["calls"],
        bad=sum(errors.values()) - cancelled + cell["pending"],
        cancelled=cancelled,
        pending=cell["pending"],
        errors=dict(errors),
        latency=_histogram(cell["latency"]),
        keys=cell["keys"],
        bad_keys=cell["bad_keys"],
        key_latency=_histogram(cell["key_latency"]),
        rise_from=_histogram(rise.get("from", {})),
        rise_to=_histogram(rise.get("to", {})),
        retries=cell.get("retries", 0),
        fallbacks=cell.get("fallbacks", 0),
        unknown=cell.get("unknown", 0),
        shadow=cell.get("shadow", {}),
        ratio=_histogram(cell.get("ratio", {})),
        halves=Halves(*halves["fresh_keys"], *halves["bad_keys"]) if halves else NO_HALVES,
        strayed_keys=cell.get("strayed_keys"),
    )


def _histogram(document: Mapping[str, int]) -> dict[int, int]:
    return {int(index): count for index, count in document.items()}


def forget_old(store: Store, now: datetime) -> None:
    """Drop what is past its time, but for telemetry: see usecases/retention.py."""
    with store.writing() as uow:
        uow.examples.forget_before(now - KEEP)
        uow.instances.forget_before(now - KEEP_INSTANCES)
        uow.metric_batches.forget_before(now - KEEP_BATCHES)
        uow.signing_in.forget_expired(now)
        uow.commit()
