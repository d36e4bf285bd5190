"""Phases: what the answer about a flag says of its data, where its plan moves any."""

from typing import Any

from controlplane.domain import phases
from controlplane.domain.flag import Flag, effective_share
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.phases import Backlog, Phase


def answer_phase(flag: Flag, backlog: Backlog | None) -> dict[str, Any]:
    """Nothing for a plan that moves no data; `backlog` and `way_back` are null where nobody asked the database."""
    if not moves_data(flag):
        return {}
    since = flag.rollout.no_way_back_since
    return {
        "phase": flag.rollout.phase.value,
        "no_way_back_since": since.isoformat() if since else None,
        "backlog": {"baseline": backlog.baseline, "candidate": backlog.candidate} if backlog else None,
        "way_back": way_back(flag, backlog) if backlog else None,
    }


def way_back(flag: Flag, backlog: Backlog) -> str:
    """What a rollback would cost now, or has cost, in one sentence that hides nothing."""
    phase, baseline, since = flag.rollout.phase, flag.baseline, flag.rollout.no_way_back_since
    if phase is Phase.COMPLETE:
        told = (
            f"NO WAY BACK: nothing was written to {baseline} since {since:%Y-%m-%d %H:%M} UTC"
            if since
            else "NO WAY BACK"
        )
        if not any(effective_share(flag, name) for name in flag.operations):
            return f"{told}, yet every call goes there: what was written in between is lost until you copy it over"
        return f"{told}. A rollback loses what was written since, until you copy it over"
    if not backlog.baseline:
        return f"A rollback loses nothing: {baseline} has every write"
    lost = f"{phases.missing(backlog.baseline)} in the store of {baseline}"
    if any(effective_share(flag, name) for name in flag.operations):
        return f"A rollback would lose writes: {lost}. Write them there and say reconciled"
    return f"WRITES ARE MISSING: {lost}, which answers every call. Write them there and say reconciled"
