"""Secrets: making them and turning them into what may be stored. The only randomness of the brain."""

import hashlib
import secrets

from controlplane.domain.signature import SECRET_BYTES, as_secret


def random_source() -> str:
    """What tells one life of a database from another: 64 bits, hexadecimal."""
    return secrets.token_hex(8)


def new_secret(prefix: str) -> str:
    """256 random bits, URL-safe, with a prefix that secret scanners can recognise."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def signing_secret() -> str:
    """256 random bits, as Standard Webhooks writes them."""
    return as_secret(secrets.token_bytes(SECRET_BYTES))


def hashed(secret: str) -> str:
    """SHA-256 of a high-entropy secret. Not for passwords: they need a slow hash, a poll needs a fast one."""
    return hashlib.sha256(secret.encode()).hexdigest()
