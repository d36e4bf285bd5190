"""Schema: is the database of this version of the program, and bringing it there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select

import migrations
from controlplane.domain.errors import SchemaMismatch
from controlplane.store.engine import WRITES, answering

_LOCK = 0x7468726F77  # any number that every version of this program agrees on


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the migrations that are missing. Raises SchemaMismatch when the database is newer than the program."""
    require_not_newer(engine)
    _run(engine, "upgrade", to)


def downgrade(engine: Engine, to: str) -> None:
    _run(engine, "downgrade", to)


def current(engine: Engine) -> str | None:
    """The revision of the database; None for an empty one."""
    with answering(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision this program was written for."""
    return _script().get_current_head()


def require_not_newer(engine: Engine) -> None:
    """Raises SchemaMismatch: an old program would write over what it does not understand."""
    revision = current(engine)
    if revision is not None and revision not in {each.revision for each in _script().walk_revisions()}:
        message = f"the database has schema {revision}, which this version of throwbar-server does not know: upgrade it"
        raise SchemaMismatch(message)


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # The migrations travel inside the wheel, so the folder is found by import, not by the working directory.
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def _run(engine: Engine, name: str, to: str) -> None:
    """One process at a time: replicas that start together must not create the same table."""
    config = _config()
    with answering(), engine.connect().execution_options(**{WRITES: True}) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        getattr(command, name)(config, to)
        connection.commit()
