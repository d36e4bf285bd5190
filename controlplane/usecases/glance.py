"""Glance: how both sides of many flags did in the last minutes, for a list that shows all of them at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controlplane.store import Store
from controlplane.store.reports import Heard

SPAN = timedelta(minutes=12)  # what is younger has a row for each cell and can be summed by the database
STEP = 30  # seconds
QUANTILE = 0.99

Counts = Mapping[int, Heard]  # by the start of a step


def recent_steps(
    store: Store, environment: str, flags: Sequence[str], now: datetime
) -> tuple[list[int], Mapping[str, Mapping[str, Counts]]]:
    """The starts of the steps, and flag → side → counts. Steps that are not over yet are left out. Raises NotFound."""
    until = int(now.timestamp()) // STEP * STEP
    first = until - int(SPAN.total_seconds())
    with store.reading() as uow:
        row = uow.environments.get(environment)
        found = uow.buckets.counted(row.id, flags, (first, until), STEP, QUANTILE) if flags else {}
    return list(range(first, until, STEP)), found
