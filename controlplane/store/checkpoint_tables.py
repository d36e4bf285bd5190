"""Checkpoint tables: the evidence of attempts, as it was at some instants."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from controlplane.store.tables import key, metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("attempt", Integer, autoincrement=False),
    key("start", BigInteger, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("ledger", JSON, nullable=False),
    Column("thinned", Boolean, nullable=False),
    Index(None, "start"),
)
