"""Metering: calls that services tell as metrics of OpenTelemetry become cells, and durable at once.

They come without keys and without who chose the side, so they are assigned by `unknown`: limits, charts and displays
count them, the comparison does not (docs/decisions/0022-calls-told-as-metrics.md).
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.domain.flag import Flag, Side
from controlplane.domain.histogram import Histogram, merge
from controlplane.domain.routing import TOLD_AS_METRICS
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.telemetry import TOO_EARLY, TOO_OLD

SDK = "opentelemetry"

_Identity = tuple[str, str, str, int, int]  # flag, operation, backend, attempt, start


@dataclass(frozen=True, slots=True)
class Point:
    """Calls of one operation and backend that ended alike, within [begin, end] in seconds since the epoch.

    `operation` None: the flag's only one. `error` is their category, None where they went well. `latency` is empty
    where their durations were not measured.
    """

    flag: str
    operation: str | None
    backend: str
    error: str | None
    begin: float
    end: float
    calls: int
    latency: Histogram = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process told at once. `digest` is of all of it: the same again is the same."""

    service: str
    instance: str
    digest: str
    points: Sequence[Point]


class PointRefused(Exception):
    """It says something of which nothing can be counted; the message says what to do about it."""


def record_metrics(
    store: Store, environment: str, batches: Sequence[Batch], now: datetime, bucket_seconds: int
) -> Counter[str]:
    """Durable when this returns, and counted once however often a batch comes. Sentence → points refused for it.

    Raises NotFound, and Unreachable or IntegrityError where it may be sent again.
    """
    refused: Counter[str] = Counter()
    with store.writing() as uow:
        row = uow.environments.get(environment)
        known = uow.metric_batches.known(row.id, {each.digest for each in batches})
        fresh = {each.digest: each for each in batches if each.digest not in known}
        flags = _flags(uow, row.id, fresh.values())
        reports = [_report(each, flags, now, bucket_seconds, refused) for each in fresh.values()]
        told = [report for report in reports if report["cells"]]
        if told:
            uow.journal.append(row.id, now, json.dumps(told, separators=(",", ":")).encode())
        uow.metric_batches.add(row.id, fresh, now)
        uow.commit()
    return refused


def _flags(uow: UnitOfWork, environment_id: int, batches: Iterable[Batch]) -> dict[str, Flag]:
    named = {point.flag for each in batches for point in each.points}
    return {key: uow.flags.get(environment_id, key) for key in sorted(named & uow.flags.keys(environment_id))}


def _report(
    batch: Batch, flags: Mapping[str, Flag], now: datetime, bucket_seconds: int, refused: Counter[str]
) -> dict[str, Any]:
    """As a service of our own would have sent it, so that it is folded alike."""
    cells: dict[_Identity, dict[str, Any]] = {}
    for point in batch.points:
        try:
            cell = _cell(point, flags, now, bucket_seconds)
        except PointRefused as error:
            refused[str(error)] += 1
            continue
        identity = (cell["flag"], cell["operation"], cell["backend"], cell["attempt"], cell["start"])
        cells[identity] = _sum(cells[identity], cell) if identity in cells else cell
    return {"instance": batch.instance, "service": batch.service, "sdk": SDK, "cells": list(cells.values())}


def _cell(point: Point, flags: Mapping[str, Flag], now: datetime, bucket_seconds: int) -> dict[str, Any]:
    flag = flags.get(point.flag)
    if flag is None:
        raise PointRefused(f"there is no flag '{point.flag}' in this environment")
    age = now.timestamp() - point.end
    if not -TOO_EARLY <= age <= TOO_OLD:
        raise PointRefused(f"its time is not within {TOO_OLD} seconds before now: look at the clock of the service")
    operation = _operation(point, flag)
    return {
        "flag": flag.key,
        "operation": operation,
        "side": _side(point, flag).value,
        "backend": point.backend,
        "attempt": _attempt(point, flag),
        "assigned_by": TOLD_AS_METRICS,
        "share": flag.operations[operation].share,
        # By its end: what came from a long span would else be late, and judged by nobody.
        "start": (math.ceil(point.end / bucket_seconds) - 1) * bucket_seconds,
        "calls": point.calls,
        "ok": 0 if point.error else point.calls,
        "errors": {point.error: point.calls} if point.error else {},
        "pending": 0,
        "latency": dict(point.latency),
        "keys": 0,
        "bad_keys": 0,
        "key_latency": {},
    }


def _operation(point: Point, flag: Flag) -> str:
    """What the flag does not list is judged by nobody, so that a misspelt name must not pass."""
    names = tuple(flag.operations)
    if not names:
        raise PointRefused(f"flag '{flag.key}' has no operations: nothing is moved, so there is nothing to measure")
    if point.operation is None and len(names) > 1:
        raise PointRefused(f"flag '{flag.key}' has several operations: name one in the attribute throwbar.operation")
    if point.operation not in {None, *names}:
        message = (
            f"'{point.operation}' is no operation of flag '{flag.key}': nobody would judge its calls, so add it first"
        )
        raise PointRefused(message)
    return point.operation or names[0]


def _side(point: Point, flag: Flag) -> Side:
    sides = {flag.baseline: Side.BASELINE, flag.candidate: Side.CANDIDATE}
    if point.backend not in sides:
        names = " and ".join(f"'{name}'" for name in sides if name)  # a feature that does not move has one
        raise PointRefused(f"'{point.backend}' is no backend of flag '{flag.key}', which has {names}")
    return sides[point.backend]


def _attempt(point: Point, flag: Flag) -> int:
    """What began before the attempt did belongs to the one before, whatever part of it came later."""
    opened, rollout = flag.rollout.entered_at or flag.updated_at, flag.rollout
    is_first = not rollout.stage and opened is not None and point.begin < opened.timestamp()
    return max(rollout.attempt - is_first, 0)


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    errors = Counter(one["errors"]) + Counter(other["errors"])
    sums = {name: one[name] + other[name] for name in ("calls", "ok")}
    return {**one, **sums, "errors": dict(errors), "latency": merge([one["latency"], other["latency"]])}
