"""Callers: noting who still calls a baseline, while reports are folded."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.store import UnitOfWork
from controlplane.store.callers import Caller
from controlplane.usecases.examples import Received

EXACT_TO = timedelta(minutes=5)  # what is asked is measured in days, and a write for each report would be a waste

Key = tuple[str, str, str]  # flag, operation, service


def note_callers(uow: UnitOfWork, environment_id: int, reports: Sequence[Received], known: frozenset[str]) -> None:
    """Remember the newest call to the baseline of each operation, by service."""
    newest = _newest(reports, known)
    before = {_key(each): each.last_at for each in uow.callers.of(environment_id, {key[0] for key in newest})}
    due = [each for key, each in newest.items() if key not in before or each.last_at - before[key] >= EXACT_TO]
    sites = uow.instances.sites(environment_id, {each.instance for each in due})
    uow.callers.save(environment_id, [_placed(each, sites.get(each.instance, ())) for each in due])


def _newest(reports: Sequence[Received], known: frozenset[str]) -> dict[Key, Caller]:
    found: dict[Key, Caller] = {}
    for report, received_at in reports:
        for cell in report["cells"]:
            if cell["side"] == "baseline" and cell["calls"] and cell["flag"] in known:
                at = min(received_at, datetime.fromtimestamp(cell["start"], tz=UTC))
                one = Caller(
                    *(cell["flag"], cell["operation"], report["service"]), at, report["instance"], cell["assigned_by"]
                )
                if _key(one) not in found or found[_key(one)].last_at < at:
                    found[_key(one)] = one
    return found


def _key(caller: Caller) -> Key:
    return caller.flag, caller.operation, caller.service


def _placed(caller: Caller, sites: Sequence[Mapping[str, Any]]) -> Caller:
    own = [each for each in sites if (each["flag"], each["operation"]) == (caller.flag, caller.operation)]
    return Caller(*(*_key(caller), caller.last_at, caller.instance, caller.assigned_by), sites=own)
