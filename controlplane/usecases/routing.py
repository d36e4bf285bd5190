"""Routing: what came of an operation's retries, fallbacks, breakers and shadows, and who obeys an override."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from controlplane.domain import histogram
from controlplane.domain.arm import Arm, summed
from controlplane.domain.flag import Flag
from controlplane.store import Store, UnitOfWork
from controlplane.store.cells import Cells
from controlplane.store.examples import KEPT, Mismatch, Receipt
from controlplane.store.instances import Instance
from controlplane.usecases.buckets import is_served
from controlplane.usecases.changing import Place
from controlplane.usecases.instances import GONE_AFTER

RATIO_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
PAIRS = ("match", "mismatch", "failed", "compare_errors")


def describe_routing(
    uow: UnitOfWork, environment_id: int, flag: Flag, cells: Cells, now: datetime
) -> dict[str, dict[str, Any]]:
    """Operation → its counts over these cells, the noise floor, and the breakers that are not closed."""
    floors = {each.operation: each for each in uow.examples.noise(environment_id, flag.key)}
    diverged = {each.operation: each.writes for each in uow.examples.divergences(environment_id, flag.key)}
    live = live_instances(uow.instances.all(environment_id), now)
    return {
        name: {
            "routing": {
                **_counts([cell for cell in cells if cell[0].operation == name]),
                "noise_floor": floors[name].floor if name in floors else None,
                "diverged": diverged.get(name, 0),
            },
            "breakers": _breakers(live, flag.key, name),
        }
        for name in flag.operations
    }


def _counts(cells: Cells) -> dict[str, Any]:
    served = _shown([arm for place, arm in cells if is_served(place)])
    copies = _shown([arm for place, arm in cells if not is_served(place)])
    # Not every one of them failed on paper: where the breaker says nothing about the candidate, it is cancelled.
    kept_back = sum(arm.calls for place, arm in cells if place.assigned_by == "breaker")
    pairs = {name: served.shadow.get(name, 0) for name in (*PAIRS, "dropped")}
    compared = pairs["match"] + pairs["mismatch"]
    return {
        "retries": served.retries,
        "fallbacks": served.fallbacks,
        "rejected": max(kept_back, served.errors.get("breaker", 0)),
        "unknown": served.unknown,
        "shadow": {
            "pairs": sum(pairs[name] for name in PAIRS),
            **pairs,
            "calls": copies.calls,
            "error_rate": copies.error_rate,
        },
        "mismatch_rate": pairs["mismatch"] / compared if compared else None,
        "ratio": _ratios(served),
    }


def _shown(arms: Sequence[Arm]) -> Arm:
    """The sum of what is answered here, and of nothing else: over weeks, the other histograms are most of the work."""
    return Arm(
        calls=sum(arm.calls for arm in arms),
        bad=sum(arm.bad for arm in arms),
        cancelled=sum(arm.cancelled for arm in arms),
        errors=summed(arm.errors for arm in arms),
        retries=sum(arm.retries for arm in arms),
        fallbacks=sum(arm.fallbacks for arm in arms),
        unknown=sum(arm.unknown for arm in arms),
        shadow=summed(arm.shadow for arm in arms),
        ratio=histogram.merge(arm.ratio for arm in arms),
    )


def _ratios(served: Arm) -> dict[str, float | None]:
    """How many times as long the candidate takes for the same call, as an upper bound at most 9.05 % too high."""
    at = {name: histogram.quantile_index(served.ratio, quantile) for name, quantile in RATIO_QUANTILES.items()}
    return {
        name: None if index is None else round(2.0 ** ((index + 1) / histogram.PER_DOUBLING), 3)
        for name, index in at.items()
    }


def live_instances(known: Iterable[Instance], now: datetime) -> list[Instance]:
    """Those heard of lately: what a process told before it stopped is true of nothing any more."""
    return [each for each in known if (now - each.last_seen_at).total_seconds() < GONE_AFTER]


def _breakers(live: Sequence[Instance], flag: str, operation: str) -> list[dict[str, Any]]:
    return [
        {
            "instance": each.instance,
            "service": each.service,
            "side": told["side"],
            "state": told["state"],
            "since": datetime.fromtimestamp(told["since"], tz=UTC).isoformat(),
            "failure_rate": told.get("failure_rate"),
            "opens": told.get("opens", 0),
        }
        for each in live
        for told in each.breakers
        if (told["flag"], told["operation"]) == (flag, operation)
    ]


def overrides_in_force(store: Store, place: Place, now: datetime) -> list[dict[str, Any]]:
    """Which live instances obey a local override of this flag. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        uow.flags.get(environment.id, place.flag)
        live = live_instances(uow.instances.all(environment.id), now)
    found = [(each, overrides_of(each, place.flag)) for each in live]
    return [
        {"instance": each.instance, "service": each.service, "overrides": dict(told)} for each, told in found if told
    ]


def overrides_of(instance: Instance, flag: str) -> Mapping[str, str]:
    """`flag` or `flag/operation` → the side that this process insists on."""
    return {place: side for place, side in instance.overrides.items() if place.partition("/")[0] == flag}


def list_mismatches(
    store: Store, place: Place, operation: str | None = None, limit: int = KEPT
) -> list[dict[str, Any]]:
    """The newest examples of answers that differ. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        uow.flags.get(environment.id, place.flag)
        return [
            _mismatch(each) for each in uow.examples.newest_mismatches(environment.id, place.flag, operation, limit)
        ]


def list_receipts(store: Store, place: Place, operation: str | None = None, limit: int = KEPT) -> list[dict[str, Any]]:
    """The newest writes of which nobody knows whether they were done. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        uow.flags.get(environment.id, place.flag)
        return [_receipt(each) for each in uow.examples.newest_receipts(environment.id, place.flag, operation, limit)]


def _mismatch(each: Mismatch) -> dict[str, Any]:
    return {
        "operation": each.operation,
        "at": each.at.isoformat(),
        "instance": each.instance,
        "key": each.key,
        "paths": list(each.paths),
    }


def _receipt(each: Receipt) -> dict[str, Any]:
    return {
        "operation": each.operation,
        "at": each.at.isoformat(),
        "instance": each.instance,
        "key": each.key,
        "side": each.side,
        "idempotency_key": each.idempotency_key,
    }
