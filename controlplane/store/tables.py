"""Tables: rows without behaviour. A test holds them against the migrations."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


LARGEST_ID = 2**31 - 1  # PostgreSQL refuses to look for an Integer that cannot be
LARGEST_SERIAL = 2**63 - 1


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; refuses naive ones, which would mean another moment on another machine."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value!r} has no time zone"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def key(*args: Any, **kwargs: Any) -> Column[Any]:  # noqa: ANN401 - passes through to Column
    return Column(*args, **kwargs, primary_key=True)


# SQLite counts up only an INTEGER primary key.
Serial = BigInteger().with_variant(Integer(), "sqlite")

environments = Table(
    "environments",
    metadata,
    key("id", Integer),
    Column("name", String(100), nullable=False, unique=True),
    Column("source", String(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("audit_length", BigInteger, nullable=False),
    Column("audit_head", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("require_reason", Boolean, nullable=False, server_default=false()),
)

flags = Table(
    "flags",
    metadata,
    key("id", Integer),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("key", String(100), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("published", BigInteger),  # null in rows that are older than the column
    Column("definition", JSON, nullable=False),
    Column("state", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    Column("retired_at", Instant),
    UniqueConstraint("environment_id", "key"),
)

flag_versions = Table(
    "flag_versions",
    metadata,
    key("flag_id", ForeignKey("flags.id")),
    key("version", BigInteger),
    Column("definition", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("id", BigInteger, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("flag", String(100)),
    Column("reason", Text, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("version", BigInteger),
    Column("request_id", String(100), nullable=False),
    Column("record", JSON, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "environment_id", "flag", "id"),
)

counters = Table(
    "counters",
    metadata,
    key("name", String(100)),
    Column("value", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    key("name", String(50)),
    Column("holder", String(100), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    key("id", Serial),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

instances = Table(
    "instances",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("instance", String(100)),
    Column("service", String(200), nullable=False),
    Column("sdk", String(100), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("source", String(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("breakers", JSON),  # null in rows that are older than the column: none
    Column("overrides", JSON),
    Column("sites", JSON),
)

buckets = Table(
    "buckets",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("start", BigInteger, autoincrement=False),
    key("operation", String(100)),
    key("attempt", Integer, autoincrement=False),
    key("side", String(10)),
    key("backend", String(100)),
    key("assigned_by", String(20)),
    key("share", Integer, autoincrement=False),
    key("late", Boolean),  # arrived after its bucket was judged: shown, never judged
    *[
        Column(name, BigInteger, nullable=False)
        for name in ("calls", "bad", "cancelled", "pending", "keys", "bad_keys")
    ],
    *[Column(name, JSON, nullable=False) for name in ("errors", "latency", "key_latency", "rise_from", "rise_to")],
    *[Column(name, BigInteger, nullable=False, server_default="0") for name in ("retries", "fallbacks", "unknown")],
    *[Column(name, JSON) for name in ("shadow", "ratio", "halves")],  # null in rows older than the column
    Column("strayed_keys", BigInteger),  # null: nobody looked
    Index(None, "start"),
)

watches = Table(
    "watches",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    Column("attempt", Integer, nullable=False),
    Column("judged_until", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("step", String(20), nullable=False),
    Column("because", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("version", Integer),  # of the flag when it was looked at; null in rows that are older than the column
    Column("checkpoint", BigInteger),  # the start of the newest one
    *[Column(name, JSON) for name in ("ledger", "told", "pairs")],
)

freezes = Table(
    "freezes",
    metadata,
    key("id", Serial),
    Column("environment_id", ForeignKey("environments.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
)

appointments = Table(
    "appointments",
    metadata,
    key("id", Serial),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("flag", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("deed", String(20), nullable=False),
    Column("operation", String(100)),
    Column("share", Integer),
    Column("reason", Text, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("over_at", Instant),
    Column("outcome", Text, nullable=False),
    Index(None, "environment_id", "over_at", "at"),
)
