"""Pack tables: telemetry that nothing is added to any more, many cells of one operation in a row."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Table

from controlplane.store.tables import key, metadata

# Every closed cell is in here once for each grain. Whatever judges reads the grain `raw` only.
packs = Table(
    "packs",
    metadata,
    key("environment_id", ForeignKey("environments.id")),
    key("flag", String(100)),
    key("grain", String(10)),
    key("start", BigInteger, autoincrement=False),
    key("operation", String(100)),
    Column("body", LargeBinary, nullable=False),
)
