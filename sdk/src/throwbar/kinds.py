"""How dangerous is it to run a call twice?"""

from enum import StrEnum


class Kind(StrEnum):
    """Declared by the author of an operation; `WRITE` is the default, so that forgetting to say is safe."""

    READ = "read"
    IDEMPOTENT_WRITE = "idempotent_write"
    WRITE = "write"
