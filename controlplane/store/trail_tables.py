"""Trail tables: what was known at each look of an attempt, for charts."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table

from controlplane.store.tables import key, metadata

trail = Table(
    "trail",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("grain", String(10)),
    key("at", BigInteger, autoincrement=False),
    key("attempt", Integer, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
