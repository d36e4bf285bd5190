"""Examples: what reports tell that no bucket holds: mismatches, receipts, divergences, and the baseline's noise."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from controlplane.domain.arm import Arm
from controlplane.domain.flag import Flag
from controlplane.domain.routing import Mode
from controlplane.store import UnitOfWork
from controlplane.store.examples import Mismatch, Receipt
from controlplane.store.reports import Place

Received = tuple[Mapping[str, Any], datetime]  # a report, or a part of one, and when it came
SETTLED = 30  # seconds after a change in which some services may still obey the version before it


def fold_examples(uow: UnitOfWork, environment_id: int, reports: Sequence[Received], known: frozenset[str]) -> None:
    """Inside the transaction that drops the reports from the journal, so that nothing is counted twice."""
    uow.examples.add_mismatches(environment_id, [_mismatch(*each) for each in _told(reports, "mismatches", known)])
    uow.examples.add_receipts(environment_id, [_receipt(*each) for each in _told(reports, "receipts", known)])
    counts = _diverged(reports, known)
    if counts:
        uow.examples.add_divergences(environment_id, counts, max(received_at for _, received_at in reports))


def _diverged(reports: Sequence[Received], known: frozenset[str]) -> dict[tuple[str, str], Counter[str]]:
    """(flag, operation) → dual writes that diverged, and which side missed them or has got them since."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for report, _ in reports:
        told = {place: {"writes": count} for place, count in report.get("divergences", {}).items()}
        for named in (told, report.get("diverged", {})):
            for place, more in named.items():
                flag, _, operation = place.partition("/")
                if flag in known:
                    counts.setdefault((flag, operation), Counter()).update(more)
    return counts


def _told(
    reports: Iterable[Received], name: str, known: frozenset[str]
) -> Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return ((report, each) for report, _ in reports for each in report.get(name, ()) if each["flag"] in known)


def _mismatch(report: Mapping[str, Any], told: Mapping[str, Any]) -> Mismatch:
    return Mismatch(
        told["flag"], told["operation"], _instant(told["at"]), report["instance"], told.get("key"), told["paths"]
    )


def _receipt(report: Mapping[str, Any], told: Mapping[str, Any]) -> Receipt:
    return Receipt(
        flag=told["flag"],
        operation=told["operation"],
        at=_instant(told["at"]),
        instance=report["instance"],
        key=told.get("key"),
        side=told["side"],
        idempotency_key=told.get("idempotency_key"),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def noise_apart(uow: UnitOfWork, environment_id: int, sums: Mapping[Place, Arm], now: datetime) -> dict[Place, Arm]:
    """The sums without what A/A calls came to: how the baseline differs from itself says nothing of the candidate.

    A report does not name the mode a pair was made in, but the flag does, once services have had time to obey it.
    """
    paired = {place for place, arm in sums.items() if arm.shadow}
    flags = {key: uow.flags.get(environment_id, key) for key in {place.flag for place in paired}}
    noisy = {place for place in paired if _is_noise(flags[place.flag], place)}
    for flag, operation in sorted({(place.flag, place.operation) for place in noisy}):
        seen = [sums[place].shadow for place in noisy if (place.flag, place.operation) == (flag, operation)]
        counts = (sum(each.get("match", 0) for each in seen), sum(each.get("mismatch", 0) for each in seen))
        uow.examples.add_noise(environment_id, (flag, operation), counts, now)
    return {place: replace(arm, shadow={}, ratio={}) if place in noisy else arm for place, arm in sums.items()}


def _is_noise(flag: Flag, place: Place) -> bool:
    operation = flag.operation(place.operation)
    since = flag.updated_at.timestamp() if flag.updated_at else 0.0
    return operation is not None and operation.mode is Mode.AA and place.start >= since + SETTLED
