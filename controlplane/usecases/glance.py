"""Rates: how both sides of many flags fail over the last minutes, for a list that shows all of them at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controlplane.store import Store

SPAN = timedelta(minutes=12)  # what is younger has a row for each cell and can be summed by the database
STEP = 30  # seconds

Counts = Mapping[int, tuple[int, int]]  # start of a step → (calls, bad calls)


def recent_rates(
    store: Store, environment: str, flags: Sequence[str], now: datetime
) -> tuple[list[int], Mapping[str, Mapping[str, Counts]]]:
    """The starts of the steps, and flag → side → counts. Steps that are not over yet are left out. Raises NotFound."""
    until = int(now.timestamp()) // STEP * STEP
    first = until - int(SPAN.total_seconds())
    with store.reading() as uow:
        row = uow.environments.get(environment)
        found = uow.buckets.counted(row.id, flags, first, until, STEP) if flags else {}
    return list(range(first, until, STEP)), found
