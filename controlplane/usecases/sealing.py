"""Sealing: secrets that must be used again are kept encrypted, under a key that is made of the server's secret key."""

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE = b"throwbar: secrets of webhooks"  # never change: what is sealed could not be opened any more


class Unreadable(Exception):
    """It was sealed under another secret key."""


class Seal:
    """Fernet (AES-128-CBC with HMAC-SHA256). Whoever reads the database without the key reads nothing."""

    def __init__(self, secret_key: str) -> None:
        self._fernet = _fernet(secret_key)

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unreadable."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - as in `_fernet`

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable from None


def _fernet(secret_key: str) -> "Fernet":
    # A twentieth of a second, which each command of the shell would pay.
    from cryptography.fernet import Fernet  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
