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


def _key(*args: Any, **kwargs: Any) -> Column[Any]:  # noqa: ANN401 - passes through to Column
    return Column(*args, **kwargs, primary_key=True)


# SQLite counts up only an INTEGER primary key.
_Serial = BigInteger().with_variant(Integer(), "sqlite")

environments = Table(
    "environments",
    metadata,
    _key("id", Integer),
    Column("name", String(100), nullable=False, unique=True),
    Column("source", String(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("audit_length", BigInteger, nullable=False),
    Column("audit_head", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

flags = Table(
    "flags",
    metadata,
    _key("id", Integer),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("key", String(100), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("state", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    UniqueConstraint("environment_id", "key"),
)

flag_versions = Table(
    "flag_versions",
    metadata,
    _key("flag_id", ForeignKey("flags.id")),
    _key("version", BigInteger),
    Column("definition", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    _key("environment_id", ForeignKey("environments.id")),
    _key("id", BigInteger, autoincrement=False),
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

tokens = Table(
    "tokens",
    metadata,
    _key("id", Integer),
    Column("kind", String(10), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(10)),
    Column("environment_id", ForeignKey("environments.id")),
    Column("hash", String(64), nullable=False, unique=True),
    Column("hint", String(12), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

people = Table(
    "people",
    metadata,
    _key("id", Integer),
    Column("email", String(200), nullable=False, unique=True),
    Column("password_hash", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

memberships = Table(
    "memberships",
    metadata,
    _key("person_id", ForeignKey("people.id")),
    _key("environment", String(100)),  # a name, or "*" for every environment, those to come included
    Column("role", String(10), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    _key("hash", String(64)),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    _key("hash", String(64)),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# By the hash of the e-mail address, not by person: a name that nobody has must be slowed down alike.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    _key("email_hash", String(64)),
    Column("number", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index(None, "last_at"),
)

counters = Table(
    "counters",
    metadata,
    _key("name", String(100)),
    Column("value", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    _key("name", String(50)),
    Column("holder", String(100), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    _key("id", _Serial),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

instances = Table(
    "instances",
    metadata,
    _key("environment_id", ForeignKey("environments.id")),
    _key("instance", String(100)),
    Column("service", String(200), nullable=False),
    Column("sdk", String(100), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("source", String(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
)

buckets = Table(
    "buckets",
    metadata,
    _key("environment_id", ForeignKey("environments.id")),
    _key("flag", String(100)),
    _key("start", BigInteger, autoincrement=False),
    _key("operation", String(100)),
    _key("attempt", Integer, autoincrement=False),
    _key("side", String(10)),
    _key("backend", String(100)),
    _key("assigned_by", String(20)),
    _key("share", Integer, autoincrement=False),
    _key("late", Boolean),  # arrived after its bucket was judged: shown, never judged
    Column("calls", BigInteger, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("cancelled", BigInteger, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("keys", BigInteger, nullable=False),
    Column("bad_keys", BigInteger, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("latency", JSON, nullable=False),
    Column("key_latency", JSON, nullable=False),
    Column("rise_from", JSON, nullable=False),
    Column("rise_to", JSON, nullable=False),
    Index(None, "start"),
)

watches = Table(
    "watches",
    metadata,
    _key("environment_id", ForeignKey("environments.id")),
    _key("flag", String(100)),
    Column("attempt", Integer, nullable=False),
    Column("judged_until", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("step", String(20), nullable=False),
    Column("because", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
