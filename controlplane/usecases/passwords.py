"""Passwords: Argon2id, and nothing else knows how."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controlplane.domain.errors import FieldError, InvalidInput, TooManyTries

SHORTEST = 12
LONGEST = 1000  # more would only cost time
AT_ONCE = 2
LONGEST_QUEUE = 0.2  # seconds: a thread that waits here answers nobody else
_PLACES = BoundedSemaphore(AT_ONCE)
_HASHER = PasswordHasher()
# Checked when there is no such person, so that the answer takes as long. Nobody has its password: it was random.
_DUMMY = "$argon2id$v=19$m=65536,t=3,p=4$Tb0yZgct1QZpb1dT0o7xqQ$y0oqezBmDN8n61E+lp2CwFJJsNVA0rZX8mymYegi2e4"


@contextmanager
def a_place() -> Iterator[None]:
    """To look at a password in. Raises TooManyTries where all are taken.

    Each look takes 64 MiB and all that a core can do, and nobody need be known to ask for one: whoever floods the
    sign-in must not keep those who are signed in from the brake.
    """
    if not _PLACES.acquire(timeout=LONGEST_QUEUE):
        raise TooManyTries(1)
    try:
        yield
    finally:
        _PLACES.release()


def hash_password(password: str) -> str:
    """Raises InvalidInput with the sentence to show."""
    if not SHORTEST <= len(password) <= LONGEST:
        message = f"needs at least {SHORTEST} characters" if len(password) < SHORTEST else "is too long"
        raise InvalidInput((FieldError("password", message),))
    return _HASHER.hash(password)


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is the one that was hashed. None costs the same time, and never matches."""
    try:
        _HASHER.verify(hashed or _DUMMY, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None
