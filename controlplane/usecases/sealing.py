"""Sealing: secrets that must be used again are kept encrypted, under a key that is made of the server's secret key."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"throwbar: secrets of webhooks"  # never change: what is sealed could not be opened any more


class Unreadable(Exception):
    """It was sealed under another secret key."""


class Seal:
    """Fernet (AES-128-CBC with HMAC-SHA256). Whoever reads the database without the key reads nothing."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable from None
