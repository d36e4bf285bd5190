"""Was the migration a success? Reads what is stored, lets the domain judge it, and tells it to people who decide."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain import held
from controlplane.domain.attachment import newest_of_each
from controlplane.domain.audit import Action
from controlplane.domain.checklist import Phase
from controlplane.domain.criteria import Criterion, Point, overall
from controlplane.domain.flag import Flag
from controlplane.domain.no_worse import errors_no_worse, latency_no_worse
from controlplane.domain.observation import Evidence
from controlplane.domain.retention import Grain
from controlplane.domain.routing import BreakerMode
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import Filter
from controlplane.usecases import testimony
from controlplane.usecases.changing import Place
from controlplane.usecases.testimony import Span

LOOKS_BACK = timedelta(days=90)


def judge_criteria(store: Store, place: Place, now: datetime) -> list[Criterion]:
    """The six promises of a migration, each judged from the last 90 days. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        return _judged(uow, environment.id, flag, now)


def describe_criteria(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """The outcome, whether finishing waits for it, and each criterion with its points, sentences and numbers.

    Raises NotFound.
    """
    judged = judge_criteria(store, place, now)
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        required = uow.checklists.get(environment.id, place.flag, Phase.BEFORE).criteria_required
    return {
        "flag": place.flag,
        "at": now.isoformat(),
        "outcome": overall(judged).value,
        "required": required,
        "criteria": [_described(each) for each in judged],
    }


def _judged(uow: UnitOfWork, environment_id: int, flag: Flag, now: datetime) -> list[Criterion]:
    first, until = int((now - LOOKS_BACK).timestamp()), int(now.timestamp()) + 1
    cells = testimony.by_hour(uow.buckets.seen(environment_id, flag.key, first, until, Grain.HOUR))
    watch = uow.watches.get(environment_id, flag.key)
    seen = watch.evidence if watch else {}
    names = [name for name in flag.planned_operations if name in flag.operations]
    of = {name: testimony.compared(flag, name, cells, seen.get(name, Evidence())) for name in names}
    spans = _forced(uow, environment_id, flag, now)
    broken = {name: testimony.breakers(flag, name, cells, spans.get(name, ())) for name in names}
    processes = uow.instances.number(environment_id)
    drawn = [testimony.affinity(flag, name, of[name], cells, processes) for name in names]
    back = _rolled_back_at(uow, environment_id, flag)
    quiet = [testimony.quiet(flag, name, cells, broken[name].opened, back) for name in names]
    tests = held.tests_pass(newest_of_each(uow.attachments.newest(environment_id, flag.key)))
    return [
        _criterion("errors", "No increase in error rate", map(errors_no_worse, of.values())),
        _criterion("latency", "No degradation of p99 latency", map(latency_no_worse, of.values())),
        _criterion("breakers", "Circuit breakers function", map(held.breakers_function, broken.values())),
        _criterion(
            "affinity",
            "Session affinity is kept",
            (judge(each) for each in drawn for judge in (held.affinity_held, held.nobody_strayed)),
        ),
        _criterion("stable", "30 days stable", (held.stable(each, now) for each in quiet)),
        _criterion("tests", "All existing tests pass", tests),
    ]


def _criterion(name: str, title: str, points: Iterable[Point]) -> Criterion:
    return Criterion(name, title, tuple(points))


def _rolled_back_at(uow: UnitOfWork, environment_id: int, flag: Flag) -> datetime | None:
    wanted = Filter(flag=flag.key, action=Action.ROLLOUT_ROLL_BACK.value)
    return next((entry.at for entry in uow.audit.newest(environment_id, wanted, 1)), None)


def _forced(uow: UnitOfWork, environment_id: int, flag: Flag, now: datetime) -> dict[str, list[Span]]:
    """Operation → when somebody had forced its breakers open: an exercise, and no trouble."""
    found: dict[str, list[Span]] = {}
    versions = uow.flags.versions(environment_id, flag.key)
    for (at, definition), until in zip(versions, [*(each[0] for each in versions[1:]), now], strict=True):
        for name, operation in definition["operations"].items():
            if (operation.get("breaker") or {}).get("mode") == BreakerMode.FORCED_OPEN:
                found.setdefault(name, []).append((at, until))
    return found


def _described(criterion: Criterion) -> dict[str, Any]:
    return {
        "name": criterion.name,
        "title": criterion.title,
        "outcome": criterion.outcome.value,
        "sentence": criterion.sentence,
        "points": [
            {"subject": p.subject, "outcome": p.outcome.value, "sentence": p.sentence, "numbers": dict(p.numbers)}
            for p in criterion.points
        ],
    }
