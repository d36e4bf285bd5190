"""How are keys named outside of the process? By a hash that only holders of the token could make again."""

from __future__ import annotations


class KeyedHash:
    """The same text has the same hash in all processes of one environment, and tells nothing to anybody else."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._key = b""

    def __call__(self, text: str) -> str:
        """16 hexadecimal digits."""
        import hashlib  # noqa: PLC0415 - loads OpenSSL, which a host should not pay for at import

        if not self._key:
            self._key = hashlib.blake2b(self._secret.encode(errors="surrogatepass")).digest()
        return hashlib.blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=8).hexdigest()
