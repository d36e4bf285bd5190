"""How do tests open SQLite? As it is operated, but without waiting for the disk: nothing here outlives the machine.

What was committed survives a `kill` all the same, because the system has it. A server in a process of its own waits.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from controlplane.store import engine

as_operated = engine._prepare


@contextmanager
def without_waiting() -> Iterator[None]:
    """A commit takes a hundredth of the time, and tests do little else."""

    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        as_operated(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_prepare", prepare)
        yield
