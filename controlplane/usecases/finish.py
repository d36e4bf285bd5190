"""What people ask at the end: is the baseline unused, who called it last, what is left to do, which flags are stale?"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from controlplane.domain.checklist import Phase
from controlplane.domain.finish_line import UNUSED_FOR, Traces, Usage, finish_line, stale_because
from controlplane.domain.flag import Flag, Side
from controlplane.domain.retention import Grain
from controlplane.store import Store, UnitOfWork
from controlplane.store.callers import Caller
from controlplane.store.instances import Instance
from controlplane.usecases.changing import Place
from controlplane.usecases.checklists import described
from controlplane.usecases.retiring import ANSWERS_FOR
from controlplane.usecases.routing import live_instances


def describe_finish(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """The finish line of a flag, its last callers, its registrations and its clean-up points. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        callers = uow.callers.of(environment.id, [flag.key])
        usage = _usage(uow, environment.id, flag, callers, now)
        live = live_instances(uow.instances.all(environment.id), now)
        points = uow.checklists.get(environment.id, flag.key, Phase.AFTER)
    finish = finish_line(flag, usage, now)
    return {
        "flag": flag.key,
        "ready": finish.ready,
        "sentence": finish.sentence,
        "days": UNUSED_FOR.days,
        "baseline_calls": usage.baseline_calls,
        "candidate_calls": usage.candidate_calls,
        "last_baseline_at": _text(usage.last_baseline_at),
        "callers": [_caller(each) for each in callers],
        "sites": _sites(live, flag.key),
        "clean_up": described(points, Phase.AFTER, ()),
        "archived_at": _text(flag.archived_at),
        "answers_until": _text(flag.archived_at + ANSWERS_FOR) if flag.archived_at else None,
    }


def list_stale(store: Store, environment: str, now: datetime) -> list[dict[str, Any]]:
    """Flags that look forgotten, with every reason. Raises NotFound."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        flags = uow.flags.all(row.id)
        newest = uow.buckets.newest_by_flag(row.id)
        live = live_instances(uow.instances.all(row.id), now)
    found = [(flag, list(stale_because(flag, _traces(flag, newest, live), now))) for flag in flags]
    return [
        {
            "flag": flag.key,
            "owner": flag.owner,
            "state": flag.rollout.state.value,
            "updated_at": _text(flag.updated_at),
            "last_call_at": _text(_traces(flag, newest, live).last_call_at),
            "reasons": reasons,
        }
        for flag, reasons in found
        if reasons
    ]


def _usage(uow: UnitOfWork, environment_id: int, flag: Flag, callers: Sequence[Caller], now: datetime) -> Usage:
    first, until = int((now - UNUSED_FOR).timestamp()), int(now.timestamp()) + 1
    cells = uow.buckets.seen(environment_id, flag.key, first, until, Grain.HOUR)
    calls = {side: sum(arm.calls for place, arm in cells if place.side is side) for side in Side}
    heard = [datetime.fromtimestamp(p.start, tz=UTC) for p, arm in cells if p.side is Side.BASELINE and arm.calls]
    last = max((*heard, *(each.last_at for each in callers)), default=None)
    return Usage(calls[Side.BASELINE], calls[Side.CANDIDATE], last)


def _traces(flag: Flag, newest: Mapping[str, int], live: Sequence[Instance]) -> Traces:
    """An SDK that tells no registrations cannot say that there are none."""
    told = [each for each in live if each.sites]
    registered = any(site["flag"] == flag.key for each in told for site in each.sites)
    at = newest.get(flag.key)
    silent = not told or len(told) < len(live)
    known = True if registered else None if silent else False
    return Traces(datetime.fromtimestamp(at, tz=UTC) if at is not None else None, known)


def _caller(each: Caller) -> dict[str, Any]:
    return {
        "operation": each.operation,
        "service": each.service,
        "instance": each.instance,
        "last_at": each.last_at.isoformat(),
        "assigned_by": each.assigned_by,
        "places": [site["place"] for site in each.sites],
    }


def _sites(live: Iterable[Instance], flag: str) -> list[dict[str, Any]]:
    """Where running processes register operations of the flag, each place once."""
    instances: dict[tuple[str, str, str, str], int] = {}
    for each in live:
        for site in each.sites:
            if site["flag"] == flag:
                place = (each.service, site["operation"], site["call"], site["place"])
                instances[place] = instances.get(place, 0) + 1
    names = ("service", "operation", "call", "place")
    return [dict(zip(names, place, strict=True)) | {"instances": n} for place, n in sorted(instances.items())]


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
