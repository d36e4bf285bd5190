"""Metric batches: which of them were taken already, for as long as one may be sent again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from controlplane.store.metric_tables import metric_batches


class MetricBatches:
    """By the sum of what they tell."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, environment_id: int, digests: Collection[str]) -> set[str]:
        columns = metric_batches.c
        query = select(columns.digest).where(columns.environment_id == environment_id, columns.digest.in_(digests))
        return set(self._connection.execute(query).scalars())

    def add(self, environment_id: int, digests: Collection[str], now: datetime) -> None:
        """Raises IntegrityError where another process has taken one of them in the same moment."""
        rows = [{"environment_id": environment_id, "digest": digest, "received_at": now} for digest in digests]
        if rows:
            self._connection.execute(insert(metric_batches), rows)

    def forget_before(self, instant: datetime) -> None:
        self._connection.execute(delete(metric_batches).where(metric_batches.c.received_at < instant))
