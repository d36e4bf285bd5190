"""Tables of webhooks: who is told, what is on its way to them, and how far the audit log was looked through."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from controlplane.store.tables import Instant, Serial, key, metadata

webhooks = Table(
    "webhooks",
    metadata,
    key("id", Integer),
    Column("name", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("selection", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("secret", Text, nullable=False),  # sealed
    Column("old_secret", Text),
    Column("old_secret_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("failing_since", Instant),
    Column("failures", Integer, nullable=False),
    Column("disabled_because", Text, nullable=False),
    sqlite_autoincrement=True,  # a number that was in use names no other webhook later
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    key("id", Serial),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("event", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("flag", String(100)),
    Column("created_at", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),
    Column("last_at", Instant),
    Column("status", Integer),
    Column("answer", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Index(None, "webhook_id", "id"),
    Index(None, "state", "webhook_id", "id"),
    sqlite_autoincrement=True,
)

# The audit log is the outbox: each entry up to the cursor of its environment has been given to whom it is for.
webhook_cursors = Table(
    "webhook_cursors",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    Column("entry", BigInteger, nullable=False),
)
