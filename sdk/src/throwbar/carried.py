"""What does an exception carry that tells how the call ended? Looked at by shape; no library is imported."""

from __future__ import annotations

import errno

from throwbar.answers import of_grpc, of_http, of_mysql, of_sqlstate
from throwbar.earlier_tries import after_redirects
from throwbar.patience import asked_by_grpc, asked_by_http, seconds_of
from throwbar.taxonomy import BY_CATEGORY, Category, ErrorInfo

_EXHAUSTED = {"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC", "EDQUOT"}
_MYSQL_ROOTS = {"MySQLError", "DatabaseError"}  # without them a number is no error number: KeyError(1205)

# What is read below, and what lets a class answer to any name.
CARRIERS = frozenset(
    {"response", "status", "status_code", "headers", "retry_after"}
    | {"code", "sqlstate", "pgcode", "pgconn", "connection_invalidated", "orig", "reason"}
    | {"__getattr__", "__getattribute__"}
)


def may_carry(kind: type) -> bool:
    """Could an instance carry an answer in the attributes of its class? If not, its own dictionary tells."""
    made = [ancestor for ancestor in type.mro(kind) if ancestor.__module__ != "builtins"]
    names = {ancestor.__name__ for ancestor in made}
    return not (names.isdisjoint(_MYSQL_ROOTS) and all(CARRIERS.isdisjoint(vars(ancestor)) for ancestor in made))


def read(owner: object, name: str) -> object:
    """An attribute, or None where there is none or it cannot be read: a property may raise what it likes."""
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 - somebody else's code, in the middle of a call
        return None


def answer_in(error: BaseException) -> ErrorInfo | None:
    """The backend's own answer, or the driver's word on how far it came. Decides."""
    response = read(error, "response")
    return (_http(response) if response is not None else None) or _grpc(error) or _database(error)


def claim_in(error: BaseException) -> ErrorInfo | None:
    """What the exception says of itself. Weaker: libraries also invent a status for a reply they could not read."""
    info = _http(error)
    if info is not None:
        return info
    seconds = seconds_of(read(error, "retry_after"))
    if seconds is None:
        return None
    return BY_CATEGORY[Category.THROTTLED]._replace(retry_after=seconds, because="attribute retry_after")


def _http(owner: object) -> ErrorInfo | None:
    for name in ("status_code", "status"):
        status = read(owner, name)
        info = of_http(status) if isinstance(status, int) else None
        if info is not None:
            return after_redirects(asked_by_http(info, read(owner, "headers"), read), read(owner, "history"))
    return None


def _grpc(error: BaseException) -> ErrorInfo | None:
    code = read(error, "code")
    if not callable(code):
        return None
    try:
        name = read(code(), "name")
    except Exception:  # noqa: BLE001 - as in `read`
        return None
    info = of_grpc(name) if isinstance(name, str) else None
    return info and asked_by_grpc(info, error)


def _database(error: BaseException) -> ErrorInfo | None:
    for name in ("sqlstate", "pgcode"):
        state = read(error, name)
        info = of_sqlstate(state) if isinstance(state, str) else None
        if info is not None:
            return info
    if read(error, "pgconn") is not None and _is_psycopg(error):  # set when "raised from a connection attempt"
        return BY_CATEGORY[Category.CONNECTION]._replace(because="raised while psycopg was connecting")
    return _mysql(error) or _sqlalchemy(error)


def _is_psycopg(error: BaseException) -> bool:
    return any(ancestor.__module__.partition(".")[0] == "psycopg" for ancestor in type.mro(type(error)))


def _mysql(error: BaseException) -> ErrorInfo | None:
    arguments = read(error, "args")
    if not isinstance(arguments, tuple) or not arguments or type(arguments[0]) is not int:
        return None
    if _MYSQL_ROOTS.isdisjoint(ancestor.__name__ for ancestor in type.mro(type(error))):
        return None
    return of_mysql(arguments[0])


def _sqlalchemy(error: BaseException) -> ErrorInfo | None:
    """Its wrapper knows that a connection broke; the driver's error inside may know more and is asked first."""
    if read(error, "connection_invalidated") is not True:
        return None
    origin = read(error, "orig")
    inner = _database(origin) if isinstance(origin, BaseException) and origin is not error else None
    return inner or BY_CATEGORY[Category.COMMUNICATION]._replace(because="SQLAlchemy: connection_invalidated")


def shortage_in(error: BaseException) -> ErrorInfo | None:
    """The operating system's word that this process is out of something."""
    name = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    if name not in _EXHAUSTED:
        return None
    return BY_CATEGORY[Category.RESOURCE]._replace(retryable=False, because=f"errno {name}")
