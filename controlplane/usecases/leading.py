"""Leading: which scheduler acts."""

from datetime import datetime, timedelta

from controlplane.store import Store
from controlplane.store.lease import Lease

SCHEDULER_LEASE = "scheduler"


def lead(store: Store, holder: str, now: datetime, lasting: timedelta) -> Lease | None:
    """The lease, taken or renewed; None while another scheduler holds it."""
    with store.writing() as uow:
        lease = uow.leases.take(SCHEDULER_LEASE, holder, now, lasting)
        uow.commit()
    return lease


def step_down(store: Store, lease: Lease, now: datetime) -> None:
    """Let another take over at once."""
    with store.writing() as uow:
        uow.leases.give_back(lease, now)
        uow.commit()
