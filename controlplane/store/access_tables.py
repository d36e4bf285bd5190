"""Tables of people and tokens: who may come in, and how."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from controlplane.store.tables import Instant, key, metadata

tokens = Table(
    "tokens",
    metadata,
    key("id", Integer),
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
    Column("owner_id", ForeignKey("people.id")),  # null: nobody's own, it acts in its own name
)

people = Table(
    "people",
    metadata,
    key("id", Integer),
    Column("email", String(200), nullable=False, unique=True),
    Column("password_hash", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

memberships = Table(
    "memberships",
    metadata,
    key("person_id", ForeignKey("people.id")),
    key("environment", String(100)),  # a name, or "*" for every environment, those to come included
    Column("role", String(10), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    key("hash", String(64)),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("agent", String(200)),  # what the browser calls itself
    Column("seen_at", Instant),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    key("hash", String(64)),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# By the hash of the e-mail address, not by person: a name that nobody has must be slowed down alike.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    key("email_hash", String(64)),
    Column("number", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index(None, "last_at"),
)
