"""Example tables: single events of an operation, of which the newest are kept, and numbers that no bucket holds."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table

from controlplane.store.tables import Instant, Serial, key, metadata


def _examples(name: str, *own: Column[Any]) -> Table:
    """Single events of one operation, of which the newest are kept."""
    return Table(
        name,
        metadata,
        key("id", Serial),
        Column("environment_id", ForeignKey("environments.id"), nullable=False),
        Column("flag", String(100), nullable=False),
        Column("operation", String(100), nullable=False),
        Column("at", Instant, nullable=False),
        Column("instance", String(100), nullable=False),
        Column("key", String(100)),
        *own,
        Index(None, "environment_id", "flag", "operation"),
    )


mismatches = _examples("mismatches", Column("paths", JSON, nullable=False))

receipts = _examples("receipts", Column("side", String(10), nullable=False), Column("idempotency_key", String(200)))


def _counts(name: str, *counts: str, later: tuple[str, ...] = ()) -> Table:
    """Numbers of one operation that no bucket holds; those that came `later` are 0 where nobody told of them."""
    return Table(
        name,
        metadata,
        key("environment_id", ForeignKey("environments.id")),
        key("flag", String(100)),
        key("operation", String(100)),
        *[Column(each, BigInteger, nullable=False) for each in counts],
        *[Column(each, BigInteger, nullable=False, server_default="0") for each in later],
        Column("newest_at", Instant, nullable=False),
    )


divergences = _counts(
    "divergences",
    "writes",
    later=("baseline_missing", "candidate_missing", "baseline_reconciled", "candidate_reconciled"),
)

noise = _counts("noise", "match", "mismatch")
