"""Signature: how a message proves where it comes from, after Standard Webhooks (github.com/standard-webhooks)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def as_secret(key: bytes) -> str:
    """The key as people copy it: `whsec_` and base64."""
    return PREFIX + base64.b64encode(key).decode()


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of "id.timestamp.body" in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(secrets: Sequence[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message. With two secrets it carries two signatures, and either of them proves it."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(each, message, timestamp, body) for each in secrets),
    }
