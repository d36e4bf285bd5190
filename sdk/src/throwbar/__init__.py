"""Throwbar's SDK: route calls between a baseline and a candidate backend, measure them, obey a rollback."""

from throwbar.client import Client
from throwbar.decision import Decision
from throwbar.errors import ConfigurationError, ThrowbarError
from throwbar.kinds import Kind
from throwbar.version import __version__

READ = Kind.READ
IDEMPOTENT_WRITE = Kind.IDEMPOTENT_WRITE
WRITE = Kind.WRITE

__all__ = [
    "IDEMPOTENT_WRITE",
    "READ",
    "WRITE",
    "Client",
    "ConfigurationError",
    "Decision",
    "ThrowbarError",
    "__version__",
]
