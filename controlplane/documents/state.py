"""What a flag has lived through, as it is stored: its rollout and its rolled-back marks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.domain.flag import Flag
from controlplane.domain.phases import Phase
from controlplane.domain.rollout import Rollout, State


def state_document(flag: Flag) -> dict[str, Any]:
    """The part of a flag that nobody writes: it comes from rollouts and rollbacks."""
    rollout = flag.rollout
    return {
        "rolled_back": flag.rolled_back,
        "rolled_back_operations": [name for name, each in flag.operations.items() if each.rolled_back],
        "rollout": {
            "state": rollout.state.value,
            "stage": rollout.stage,
            "entered_at": _text(rollout.entered_at),
            "approved": rollout.approved,
            "attempt": rollout.attempt,
            "rollbacks": rollout.rollbacks,
            "cool_down_until": _text(rollout.cool_down_until),
            "start_at": _text(rollout.start_at),
            "started_by": rollout.started_by,
            "approved_by": rollout.approved_by,
            **({"replanned_by": list(rollout.replanned_by)} if rollout.replanned_by else {}),
            **({"phase": rollout.phase.value} if rollout.phase is not Phase.OFF else {}),
            **({"no_way_back_since": _text(rollout.no_way_back_since)} if rollout.no_way_back_since else {}),
            **({"lost_approval": True} if rollout.lost_approval else {}),
        },
        "blocked_by": list(flag.blocked_by),
    }


def with_state(flag: Flag, document: Mapping[str, Any]) -> Flag:
    """The flag with its stored state laid over its definition."""
    marked = set(document["rolled_back_operations"])
    stored = dict(document["rollout"])
    rollout = Rollout(
        state=State(stored["state"]),
        stage=stored["stage"],
        entered_at=_instant(stored["entered_at"]),
        approved=stored["approved"],
        attempt=stored["attempt"],
        rollbacks=stored["rollbacks"],
        cool_down_until=_instant(stored["cool_down_until"]),
        start_at=_instant(stored.get("start_at")),  # rows that are older than these fields have none
        started_by=stored.get("started_by", ""),
        approved_by=stored.get("approved_by", ""),
        replanned_by=tuple(stored.get("replanned_by", ())),
        phase=Phase(stored.get("phase", Phase.OFF)),
        no_way_back_since=_instant(stored.get("no_way_back_since")),
        lost_approval=stored.get("lost_approval", False),
    )
    operations = {
        name: each if each.rolled_back == (name in marked) else replace(each, rolled_back=name in marked)
        for name, each in flag.operations.items()
    }
    return replace(
        flag,
        rolled_back=document["rolled_back"],
        operations=operations,
        rollout=rollout,
        blocked_by=tuple(document.get("blocked_by", ())),
    )


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
