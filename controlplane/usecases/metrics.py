"""Metrics: what an operator's own monitoring may know of every environment, as plain measures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain import histogram
from controlplane.domain.arm import Arm
from controlplane.domain.findings import Verdict
from controlplane.domain.flag import Flag, Side
from controlplane.domain.rollout import State
from controlplane.domain.share import FULL
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.usecases.buckets import both, is_served, sealed_until
from controlplane.usecases.condition import health_word
from controlplane.usecases.instances import SILENT_AFTER

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Measure:
    """One number now: its name, what it is the number of, and the labels it is told apart by."""

    name: str
    value: float
    labels: Mapping[str, str]


HELP = {
    "throwbar_snapshot_version": "Newest snapshot version of the environment",
    "throwbar_instances": "Instances by service that reported in the last half minute, and those that fell silent",
    "throwbar_flag_enabled": "1 when the flag is enabled",
    "throwbar_flag_rolled_back": "1 when every call of the flag is sent to the baseline after a rollback",
    "throwbar_flag_share": "Share of keys sent to the candidate, 0 to 1, as services obey it",
    "throwbar_flag_verdict": "1 for the verdict in force on a flag that is judged",
    "throwbar_rollout_state": "1 for the state that the flag's rollout is in",
    "throwbar_rollout_stage": "Stage of the rollout, counted from 1; 0 when none was started",
    "throwbar_calls": "Calls that started in the last sealed minute",
    "throwbar_bad_calls": "Calls of the last sealed minute that failed or did not answer in time",
    "throwbar_latency_p99_seconds": "99th percentile of the latency in the last sealed minute",
    "throwbar_journal_rows": "Report batches that wait to be folded",
    "throwbar_webhook_enabled": "1 when the webhook of this number is told what happens",
    "throwbar_webhook_pending": "Events on their way to the webhook",
    "throwbar_webhook_oldest_pending_seconds": "Since when the oldest of them is on its way",
    "throwbar_webhook_failures": "Attempts to tell the webhook that failed in a row",
    "throwbar_counted": "What the doors of services counted since the database was made, up to a minute late",
}
COUNTED = ("reports:", "flag_sets:", "ofrep:", "metrics:")  # the beginnings of counters that tell of doors


def measure(store: Store, now: datetime, clockwork: Clockwork) -> list[Measure]:
    """Everything there is to know now; nothing in it names a key or a person."""
    with store.reading() as uow:
        found = [Measure("throwbar_journal_rows", uow.journal.size(), {}), *_counted(uow)]
        found.extend(_webhooks(uow, now))
        for environment in uow.environments.all():
            found.extend(_environment(uow, environment, now, clockwork))
    return found


def _counted(uow: UnitOfWork) -> Iterator[Measure]:
    for beginning in COUNTED:
        for name, value in sorted(uow.counters.starting_with(beginning).items()):
            yield Measure("throwbar_counted", value, {"what": name})


def _webhooks(uow: UnitOfWork, now: datetime) -> Iterator[Measure]:
    waiting = uow.webhooks.waiting()
    for each in uow.webhooks.all():
        labels = {"webhook": str(each.id)}
        number, oldest = waiting.get(each.id, (0, now))
        yield Measure("throwbar_webhook_enabled", each.wanted.enabled, labels)
        yield Measure("throwbar_webhook_pending", number, labels)
        yield Measure("throwbar_webhook_oldest_pending_seconds", max((now - oldest).total_seconds(), 0), labels)
        yield Measure("throwbar_webhook_failures", each.failures, labels)


def _environment(uow: UnitOfWork, row: Environment, now: datetime, clockwork: Clockwork) -> Iterator[Measure]:
    here = {"environment": row.name}
    yield Measure("throwbar_snapshot_version", row.version, here)
    yield from _instances(uow, row, now)
    watches = uow.watches.all(row.id)
    for flag in uow.flags.all(row.id):
        labels = {**here, "flag": flag.key}
        yield from _flag(flag, labels)
        yield from _verdict(health_word(flag, watches.get(flag.key)), labels)
        if flag.exposed_operations:
            yield from _minute(uow, row, flag, labels, sealed_until(now, clockwork))


def _instances(uow: UnitOfWork, row: Environment, now: datetime) -> Iterator[Measure]:
    numbers: dict[tuple[str, str], int] = {}
    for each in uow.instances.all(row.id):
        state = "silent" if (now - each.last_seen_at).total_seconds() > SILENT_AFTER else "reporting"
        numbers[each.service, state] = numbers.get((each.service, state), 0) + 1
    for (service, state), number in numbers.items():
        yield Measure("throwbar_instances", number, {"environment": row.name, "service": service, "state": state})


def _flag(flag: Flag, labels: Mapping[str, str]) -> Iterator[Measure]:
    yield Measure("throwbar_flag_enabled", flag.enabled, labels)
    yield Measure("throwbar_flag_rolled_back", flag.rolled_back, labels)
    yield Measure("throwbar_rollout_stage", flag.rollout.stage + 1 if flag.rollout.attempt else 0, labels)
    for state in State:
        yield Measure("throwbar_rollout_state", flag.rollout.state is state, {**labels, "state": state.value})
    exposed = flag.exposed_operations
    for name, operation in flag.operations.items():
        obeyed = operation.share / FULL if name in exposed else 0.0
        yield Measure("throwbar_flag_share", obeyed, {**labels, "operation": name})


def _verdict(word: str | None, labels: Mapping[str, str]) -> Iterator[Measure]:
    for verdict in Verdict if word else ():
        yield Measure("throwbar_flag_verdict", word == verdict.value, {**labels, "verdict": verdict.value})


def _minute(uow: UnitOfWork, row: Environment, flag: Flag, labels: Mapping[str, str], until: int) -> Iterator[Measure]:
    cells = uow.buckets.between(row.id, flag.key, until - WINDOW_SECONDS, until)
    for name in flag.operations:
        own = [cell for cell in cells if cell[0].operation == name and is_served(cell[0])]
        for side, backend in ((Side.BASELINE, flag.baseline), (Side.CANDIDATE, flag.candidate)):
            yield from _arm(both(own, side), {**labels, "operation": name, "side": side.value, "backend": backend})


def _arm(arm: Arm, labels: Mapping[str, str]) -> Iterator[Measure]:
    yield Measure("throwbar_calls", arm.calls, labels)
    yield Measure("throwbar_bad_calls", arm.bad, labels)
    slowest = histogram.quantile_ms(arm.latency, 0.99)
    if slowest is not None:
        yield Measure("throwbar_latency_p99_seconds", slowest / 1000, labels)
