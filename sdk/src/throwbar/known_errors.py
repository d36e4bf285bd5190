"""Which exception classes are known by name, and does the class alone decide? Nothing is imported for this.

A name is the first part of the class's module and the class: `requests.ConnectionError` stands for
`requests.exceptions.ConnectionError`, wherever the next release of the package keeps it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from throwbar.carried import may_carry
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo
from throwbar.telling_names import by_telling_name

_NOT_SENT = BY_CATEGORY[Category.CONNECTION]
_LOST = BY_CATEGORY[Category.COMMUNICATION]
_TIMEOUT = BY_CATEGORY[Category.TIMEOUT]
_RESOURCE = BY_CATEGORY[Category.RESOURCE]
_CONFLICT = BY_CATEGORY[Category.CONFLICT]
_SESSION = BY_CATEGORY[Category.SESSION]
_VALIDATION = BY_CATEGORY[Category.VALIDATION]
_APPLICATION = BY_CATEGORY[Category.APPLICATION]
_SYSTEM = BY_CATEGORY[Category.SYSTEM]
_CANCELLED = BY_CATEGORY[Category.CANCELLED]
_EXHAUSTED = _RESOURCE._replace(retryable=False)  # here, in this process: another attempt needs what is missing
_HELD_BACK = _NOT_SENT._replace(retryable=False)  # another attempt would be kept away as well
_UNSENDABLE = _APPLICATION._replace(delivery=Delivery.NOT_SENT)  # the request could not even be put together
_UNREADABLE = _LOST._replace(delivery=Delivery.APPLIED)
# Raised in a call it may come after half the work; only a backend's factory can say NOT_SENT.
_MISSING = BY_CATEGORY[Category.INITIALIZATION]._replace(delivery=Delivery.UNKNOWN)


def _table(package: str, *rows: tuple[ErrorInfo, str]) -> dict[str, ErrorInfo]:
    return {f"{package}.{name}": info for info, names in rows for name in names.split()}


# The class or any subclass of it decides.
DECIDED: Mapping[str, ErrorInfo] = {
    **_table(
        "builtins",
        (_NOT_SENT, "ConnectionRefusedError"),
        (_LOST, "ConnectionError EOFError"),
        (_TIMEOUT, "TimeoutError"),
        (_EXHAUSTED, "MemoryError BlockingIOError"),
        (_MISSING, "ImportError"),
        (_SYSTEM, "RecursionError"),
        (_CANCELLED, "BaseException"),  # KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError
    ),
    **_table("socket", (_NOT_SENT, "gaierror herror")),
    **_table("ssl", (_NOT_SENT, "SSLCertVerificationError"), (_LOST, "SSLError")),
    **_table("http", (_LOST, "HTTPException"), (_UNSENDABLE, "InvalidURL")),
    **_table("json", (_LOST, "JSONDecodeError")),
    **_table("subprocess", (_TIMEOUT, "TimeoutExpired")),
    **_table("multiprocessing", (_TIMEOUT, "TimeoutError")),
    **_table("concurrent", (_CANCELLED, "CancelledError"), (_LOST, "BrokenExecutor")),  # its worker is gone
    **_table("sqlite3", (_VALIDATION, "IntegrityError DataError")),
    **_table("throwbar", (_SESSION, "SessionWorkerUnavailable"), (_HELD_BACK, "BreakerOpen")),
    **_table(
        "urllib3",
        (_NOT_SENT, "NewConnectionError NameResolutionError ConnectTimeoutError EmptyPoolError ClosedPoolError"),
        (_LOST, "ProtocolError IncompleteRead DecodeError"),
        (_TIMEOUT, "ReadTimeoutError"),
        (_RESOURCE, "ResponseError"),  # one bad status after the other, until its retries were used up
        (_UNSENDABLE, "LocationValueError"),
    ),
    **_table(
        "requests",
        (_LOST, "ChunkedEncodingError ContentDecodingError JSONDecodeError"),
        (_TIMEOUT, "ReadTimeout"),
        (_UNSENDABLE, "InvalidURL InvalidSchema MissingSchema InvalidHeader InvalidJSONError"),
    ),
    **dict.fromkeys(("httpx.ConnectError", "httpcore.ConnectError"), _NOT_SENT),
    **dict.fromkeys(("httpx.ConnectTimeout", "httpcore.ConnectTimeout"), _NOT_SENT),
    **dict.fromkeys(("httpx.PoolTimeout", "httpcore.PoolTimeout"), _NOT_SENT),
    **dict.fromkeys(("httpx.ProxyError", "httpcore.ProxyError"), _NOT_SENT),
    **dict.fromkeys(("httpx.UnsupportedProtocol", "httpcore.UnsupportedProtocol", "httpx.InvalidURL"), _UNSENDABLE),
    **dict.fromkeys(("httpx.TimeoutException", "httpcore.TimeoutException"), _TIMEOUT),
    **dict.fromkeys(("httpx.NetworkError", "httpcore.NetworkError"), _LOST),
    **dict.fromkeys(("httpx.RemoteProtocolError", "httpcore.RemoteProtocolError", "httpx.DecodingError"), _LOST),
    **_table(
        "aiohttp",
        (_NOT_SENT, "ClientConnectorError ClientHttpProxyError ConnectionTimeoutError ServerFingerprintMismatch"),
        (_LOST, "ServerDisconnectedError ClientOSError ClientPayloadError HttpProcessingError"),
        (_TIMEOUT, "ServerTimeoutError"),
        (_UNSENDABLE, "InvalidURL NonHttpUrlClientError"),
        (_APPLICATION, "RedirectClientError"),  # led to no address; where it came from was reached
    ),
    **_table("grpc", (_TIMEOUT, "FutureTimeoutError"), (_CANCELLED, "FutureCancelledError")),
    **_table("sqlalchemy", (_NOT_SENT, "TimeoutError"), (_CONFLICT, "StaleDataError")),  # the pool's time-out
    **_table("psycopg", (_NOT_SENT, "ConnectionTimeout")),
    **_table("psycopg_pool", (_NOT_SENT, "PoolTimeout TooManyRequests PoolClosed")),
    **_table("pymysql", (_VALIDATION, "IntegrityError DataError"), (_LOST, "InterfaceError")),
    **_table(
        "redis",
        # An error of a pipeline is that of one command in it; the others may have been carried out.
        (_RESOURCE, "BusyLoadingError ClusterDownError OutOfMemoryError ReadOnlyError"),
        (_CONFLICT._replace(delivery=Delivery.UNKNOWN), "TryAgainError"),
        (_CONFLICT, "WatchError"),  # of the whole transaction
        (_TIMEOUT, "TimeoutError"),
        (_NOT_SENT, "MaxConnectionsError"),  # of the pool
        (_LOST, "InvalidResponse"),
        (_VALIDATION, "ResponseError AuthenticationError AuthorizationError"),
        (_UNSENDABLE, "DataError"),
    ),
}

# The class itself decides, a subclass of it does not.
EXACT: Mapping[str, ErrorInfo] = _table(
    "builtins",
    (_APPLICATION, "TypeError AttributeError KeyError IndexError AssertionError NotImplementedError NameError"),
)

# Only a default: what the exception carries, or what caused it, is asked first.
LEANING: Mapping[str, ErrorInfo] = {
    **_table("builtins", (_SYSTEM, "OSError"), (_APPLICATION, "Exception")),
    **_table("urllib", (_LOST, "URLError")),
    **_table("urllib3", (_LOST, "MaxRetryError ProxyError SSLError")),
    **_table(
        "requests",
        (_LOST, "ConnectionError SSLError"),
        (_NOT_SENT, "ConnectTimeout"),
        (_TIMEOUT, "Timeout"),
        (_RESOURCE, "RetryError"),
        (_APPLICATION, "RequestException"),
    ),
    **_table("aiohttp", (_UNREADABLE, "ContentTypeError"), (_LOST, "ClientConnectionError")),
    **_table("sqlalchemy", (_VALIDATION, "IntegrityError")),
    **_table("psycopg", (_LOST, "OperationalError InterfaceError")),
    **_table("psycopg2", (_LOST, "OperationalError InterfaceError")),
    **_table("redis", (_LOST, "ConnectionError")),  # it retries by itself, so what it met last proves nothing
}


class Known(NamedTuple):
    """`settled`: the class alone decides. `named`: it is more than just some exception."""

    info: ErrorInfo
    settled: bool
    named: bool
    may_carry: bool


_NOBODY = Known(_APPLICATION._replace(because="not an exception"), settled=True, named=False, may_carry=False)
_ANYTHING = {"builtins.Exception", "builtins.OSError"}
_REMEMBERED = 1024  # classes; some programs make them by the thousand
_memory: dict[type, Known] = {}


def look_up(kind: type) -> Known:
    """What the class says; the nearest known ancestor speaks for it."""
    known = _memory.get(kind)
    if known is None:
        known = _search(kind)
        if len(_memory) >= _REMEMBERED:
            _memory.clear()
        _memory[kind] = known
    return known


def name_of(kind: type) -> str:
    """The name under which a class would be known."""
    return f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"


def _search(kind: type) -> Known:
    for ancestor in type.mro(kind):
        name = name_of(ancestor)
        settled = DECIDED.get(name) or (EXACT.get(name) if ancestor is kind else None)
        info = settled or LEANING.get(name)
        if info is not None:
            suggested = by_telling_name(kind) if name in _ANYTHING else None
            named = suggested is not None or name != "builtins.Exception"
            return Known(suggested or info._replace(because=name), settled is not None, named, may_carry(kind))
    return _NOBODY
