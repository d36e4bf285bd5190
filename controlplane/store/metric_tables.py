"""Table of the batches of metrics that were taken."""

from sqlalchemy import Column, ForeignKey, Index, String, Table

from controlplane.store.tables import Instant, key, metadata

metric_batches = Table(
    "metric_batches",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("digest", String(64)),
    Column("received_at", Instant, nullable=False),
    Index(None, "received_at"),
)
