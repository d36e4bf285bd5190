"""How is a connection to the control plane opened, and whom does it trust?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    import ssl


class Dial:
    """To one host and port. TLS is loaded for `https` only, and when it is first needed."""

    def __init__(self, scheme: str, host: str, port: int | None) -> None:
        self._secure = scheme == "https"
        self._host = host
        self._port = port or (443 if self._secure else 80)
        self._trust: ssl.SSLContext | None = None
        self._trusts_all = False

    def __call__(self, timeout: float) -> socket.socket:
        """A connected socket whose every step takes `timeout` seconds at most. Raises OSError."""
        if not self._secure:
            return self._connected(timeout)
        import ssl  # noqa: PLC0415 - 4 MiB, and only here

        try:
            return self._encrypted(timeout)
        except ssl.SSLCertVerificationError:
            if self._trusts_all:
                raise
        # Not known by name: read the whole store, where there may be more than the directory has.
        self._trust, self._trusts_all = None, True
        return self._encrypted(timeout)

    def _connected(self, timeout: float) -> socket.socket:
        import socket  # noqa: PLC0415 - not for a host that makes no client

        connected = socket.create_connection((self._host, self._port), timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def _encrypted(self, timeout: float) -> socket.socket:
        trust = self._trust = self._trust or self._trusted()
        plain = self._connected(timeout)
        try:
            return trust.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def _trusted(self) -> ssl.SSLContext:
        """Who is trusted: whom this machine trusts, as Python has it by default.

        Where the certificates also lie in a directory, each under a hash of its name, OpenSSL finds the one it needs
        there; to read all of them takes 2 MiB and ten milliseconds, for each process.
        """
        import ssl  # noqa: PLC0415 - as above

        by_name = ssl.get_default_verify_paths().capath
        if not by_name:
            self._trusts_all = True
        trust = ssl.create_default_context(capath=None if self._trusts_all else by_name)
        trust.set_alpn_protocols(["http/1.1"])
        return trust
