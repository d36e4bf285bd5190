"""The report of a migration: everything that somebody needs who has to sign that it is over."""

from datetime import datetime
from typing import Any

from controlplane.domain.checklist import Phase
from controlplane.store import Store
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.attachments import list_attachments
from controlplane.usecases.changing import Place
from controlplane.usecases.checklists import show_checklist
from controlplane.usecases.criteria import describe_criteria
from controlplane.usecases.finish import describe_finish


def migration_report(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """Raises NotFound."""
    flag = describe_flag(store, place, now)
    told = ("key", "description", "owner", "baseline", "candidate", "enabled", "operations", "version", "archived_at")
    return {
        "environment": place.environment,
        **describe_criteria(store, place, now),
        "migration": {**{name: flag.get(name) for name in told}, "rollout": flag["rollout"]},
        "checklists": {phase.value: show_checklist(store, place, phase) for phase in Phase},
        "finish": describe_finish(store, place, now),
        "tests": list_attachments(store, place, 20),
    }
