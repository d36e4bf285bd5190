"""Tables of checklists, and of what was attached to a migration."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text

from controlplane.store.tables import Instant, Serial, key, metadata

checklists = Table(
    "checklists",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("phase", String(10)),
    Column("version", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    key("id", Serial),
    Column("environment_id", ForeignKey("environments.id"), nullable=False),
    Column("flag", String(100), nullable=False),
    Column("suite", String(100), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("commit", String(100), nullable=False),
    Column("link", String(1000), nullable=False),
    Column("notes", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "environment_id", "flag", "id"),
)
