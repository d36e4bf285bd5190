"""Retiring: an archived flag answers with its final backend for 90 days, and then leaves every snapshot."""

from dataclasses import replace
from datetime import datetime, timedelta

from controlplane.domain.audit import SCHEDULER, Action
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases.changing import Cause, Order, write_down

ANSWERS_FOR = timedelta(days=90)  # long enough for a late deployment that still asks


def retire(store: Store, lease: Lease, now: datetime) -> int:
    """Take flags that were archived long enough ago out of the snapshots; how many. Raises LeaseLost."""
    with store.reading() as uow:
        due = [
            (environment.name, flag.key)
            for environment in uow.environments.all()
            for flag in uow.flags.answering(environment.id)
            if flag.archived_at and flag.archived_at + ANSWERS_FOR <= now
        ]
    for environment, key in due:
        _retire(store, lease, environment, key, now)
    return len(due)


def _retire(store: Store, lease: Lease, environment_name: str, key: str, now: datetime) -> None:
    why = f"archived {ANSWERS_FOR.days} days ago: services that still ask get the baseline that their code names"
    with store.writing() as uow:
        uow.leases.check(lease)
        environment = uow.environments.get(environment_name, lock=True)
        before = uow.flags.get(environment.id, key)
        after = replace(
            before, retired_at=now, version=before.version + 1, updated_at=now, published=environment.version + 1
        )
        uow.flags.save(environment.id, before, after)
        order = Order(Action.FLAG_RETIRE, lambda same: same)
        write_down(uow, environment, Cause(SCHEDULER, now, why), order, before, after)
        uow.commit()
