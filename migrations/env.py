"""Where Alembic starts: on the connection it is given, else on THROWBAR_DATABASE_URL."""

import os

from alembic import context
from sqlalchemy import Connection

from controlplane.store.engine import open_engine
from controlplane.store.tables import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = open_engine(os.environ.get("THROWBAR_DATABASE_URL", "sqlite:///var/throwbar.db"))
    with engine.connect() as opened:
        run(opened)
        opened.commit()
