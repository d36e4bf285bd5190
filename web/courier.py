"""Courier: posts what webhooks are told, to public addresses only, and never for long.

Python's own HTTP client, since the connection itself is what is at stake: it goes to the very address that was looked
at, so that a name cannot mean another one in between, and it can be cut. No redirect is followed and no proxy asked.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from importlib.metadata import version
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from controlplane.domain.delivery import Outcome
from controlplane.domain.destination import Allowed, why_not_address, why_not_url
from controlplane.usecases.delivering import Letter

CONNECTS_WITHIN = 5.0  # seconds, for each address of the host
ANSWERS_WITHIN = 10.0  # seconds for the whole attempt, however slowly the bytes come
LONGEST_ANSWER = 1_000  # bytes that are kept; more are not read
AGENT = f"Throwbar/{version('throwbar-server')}"


class _Refused(Exception):
    """The host may not be reached; the message says why."""


class Courier:
    """Called from several threads at once. `context` says whose certificates are trusted."""

    def __init__(
        self, allowed: Allowed, context: ssl.SSLContext | None = None, *, answers_within: float = ANSWERS_WITHIN
    ) -> None:
        self._allowed = allowed
        self._context = context
        self._answers_within = answers_within
        self._lines: set[_Line] = set()
        self._closed = False

    def __call__(self, letter: Letter) -> Outcome | None:
        begun = time.monotonic()
        try:
            outcome = self._post(letter, begun)
        except (OSError, HTTPException, _Refused, UnicodeError) as error:
            if self._closed:
                return None
            late = time.monotonic() - begun >= self._answers_within
            slow = f"it did not answer in full within {self._answers_within:g} s"
            outcome = Outcome(error=slow if late else _why(error))
        return _timed(outcome, time.monotonic() - begun)

    def close(self) -> None:
        """Cut what is under way, and take nothing more."""
        self._closed = True
        for line in tuple(self._lines):
            line.cut()

    def _post(self, letter: Letter, begun: float) -> Outcome:
        if wrong := why_not_url(letter.url, self._allowed):
            raise _Refused(f"its address {wrong}")  # allowed when it was made, and no longer
        parts = urlsplit(letter.url)
        line = _Line(parts, self._addresses(parts), self._trusting(parts.scheme), self._answers_within)
        with self._open(line, begun + self._answers_within - time.monotonic()):
            headers = {"user-agent": AGENT, "connection": "close", **letter.headers}
            line.request("POST", _target(parts), letter.body, headers)
            response = line.getresponse()
            line.check()  # the end of a connection that was cut looks like the end of an answer
            return _read(response)

    @contextmanager
    def _open(self, line: "_Line", seconds: float) -> Iterator[None]:
        """A connection that is cut at the end of its time, whatever it is doing."""
        watch = threading.Timer(max(seconds, 0.0), line.cut)
        watch.daemon = True
        watch.start()
        self._lines.add(line)
        try:
            if self._closed:
                line.cut()
            yield
        finally:
            watch.cancel()
            self._lines.discard(line)
            line.close()

    def _addresses(self, parts: SplitResult) -> list[str]:
        """Each address of the host, all of them looked at. Raises _Refused, OSError."""
        host = parts.hostname or ""
        found = socket.getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
        for each in addresses:
            if wrong := why_not_address(host, ip_address(each), self._allowed):
                raise _Refused(f"its host {wrong}")
        return addresses

    def _trusting(self, scheme: str) -> ssl.SSLContext | None:
        if scheme != "https":
            return None
        if self._context is None:
            self._context = ssl.create_default_context()  # once: it reads every certificate of this machine
        return self._context


class _Line(HTTPConnection):
    """A connection to one of the given addresses, whatever the name of the host means by now."""

    def __init__(
        self, parts: SplitResult, addresses: list[str], context: ssl.SSLContext | None, answers_within: float
    ) -> None:
        super().__init__(parts.hostname or "", _port(parts), timeout=answers_within)
        self._addresses = addresses
        self._trusted = context
        self._is_cut = False

    def connect(self) -> None:
        self.sock = self._reached()
        self.sock.settimeout(self.timeout)  # what connects in time may think as long as it is given
        if self._trusted:
            self.sock = self._trusted.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.check()
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def _reached(self) -> socket.socket:
        failure = OSError("it has no address")
        for address in self._addresses:
            self.check()
            try:
                return socket.create_connection((address, self.port), CONNECTS_WITHIN)
            except OSError as error:
                failure = error
        raise failure

    def check(self) -> None:
        """Raises TimeoutError once it was cut."""
        if self._is_cut:
            raise TimeoutError

    def cut(self) -> None:
        """From another thread: whoever waits on the socket stops waiting."""
        self._is_cut = True
        there = self.sock  # looked at once: whoever waits on it may take it away at any moment
        try:
            if there:
                # As of any socket: that of TLS would lose its session, in the middle of whatever is done with it.
                socket.socket.shutdown(there, socket.SHUT_RDWR)
        except OSError:
            return  # it is not open any more


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(response: HTTPResponse) -> Outcome:
    """The status, and what people need of the rest. An endpoint that has answered has answered."""
    try:
        beginning = response.read(LONGEST_ANSWER)
    except (OSError, HTTPException):
        beginning = b""
    text = "".join(each if each.isprintable() or each == "\n" else " " for each in beginning.decode(errors="replace"))
    return Outcome(response.status, text.strip(), retry_after=_retry_after(response))


def _retry_after(response: HTTPResponse) -> timedelta | None:
    """Seconds, as endpoints send them that are busy; a date is passed over."""
    given = response.getheader("retry-after") or ""
    asked = response.status in {429, 503} and given.isascii() and given.isdecimal() and len(given) < 8
    return timedelta(seconds=int(given)) if asked else None


def _timed(outcome: Outcome, seconds: float) -> Outcome:
    return Outcome(outcome.status, outcome.answer, outcome.error, round(seconds * 1000), outcome.retry_after)


# What an error means for whoever has to repair it; the first that fits. Logs have it, so none tells the address.
_MEANS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, f"it did not answer within {CONNECTS_WITHIN:g} s"),
    (socket.gaierror, "its host has no address: the name is unknown"),
    (UnicodeError, "its host has no address: the name is none"),
    (ssl.SSLError, "TLS failed: it does not speak https, or none that is safe"),
    (ConnectionRefusedError, "it refuses connections: nobody listens there"),
    (ConnectionError, "it closed the connection before it had answered"),
    (HTTPException, "it answered something else than HTTP"),
)


def _why(error: Exception) -> str:
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    known = next((sentence for kind, sentence in _MEANS if isinstance(error, kind)), None)
    return known or f"it cannot be reached: {getattr(error, 'strerror', None) or 'no reason given'}"
