"""Table of who called the baseline last."""

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from controlplane.store.tables import Instant, key, metadata

baseline_callers = Table(
    "baseline_callers",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("operation", String(100)),
    key("service", String(200)),
    Column("last_at", Instant, nullable=False),
    Column("instance", String(100), nullable=False),
    Column("assigned_by", String(20), nullable=False),
    Column("sites", JSON, nullable=False),
)
