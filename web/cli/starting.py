"""What must hold before a process serves? Readable settings, a usable database; else one clear line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from controlplane.domain.errors import SchemaMismatch, Unreachable
from controlplane.settings import Settings, SettingsError, read_settings
from controlplane.store import Store, open_store

WRONG_USE = 2
FAILED = 1


def settings_or_exit() -> Settings:
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        give_up(str(error), WRONG_USE)


@contextmanager
def store_or_exit(settings: Settings) -> Iterator[Store]:
    """A store for the time of the block; a database that cannot be used ends the process, with a sentence."""
    try:
        with open_store(settings.database_url) as store:
            yield store
    except SettingsError as error:
        give_up(str(error), WRONG_USE)
    except SchemaMismatch as error:
        give_up(error.message, FAILED)
    except Unreachable as error:
        give_up(f"the database cannot be used: {error.reason}", FAILED)


def give_up(sentence: str, code: int) -> NoReturn:
    click.echo(f"throwbar: {sentence}", err=True)
    sys.exit(code)
