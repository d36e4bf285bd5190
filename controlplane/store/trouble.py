"""Trouble: what the database driver raises when there is no database to talk to."""

from sqlalchemy.exc import OperationalError


def reason_of(error: OperationalError) -> str:
    """The driver's own sentence, on one line; it names host and port, never the password."""
    return " ".join(str(error.orig).split())


Unreachable = OperationalError
