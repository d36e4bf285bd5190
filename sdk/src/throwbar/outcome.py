"""What kind of failure is an exception? By built-in types and telling names; the wire knows these categories only."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """The error categories of a report that can be told from an exception alone."""

    CONNECTION = "connection"
    COMMUNICATION = "communication"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    INITIALIZATION = "initialization"
    APPLICATION = "application"
    SYSTEM = "system"
    CANCELLED = "cancelled"


# Looked up along the method resolution order, so the nearest ancestor decides.
_BY_TYPE: dict[type[BaseException], Category] = {
    ConnectionRefusedError: Category.CONNECTION,
    ConnectionError: Category.COMMUNICATION,
    EOFError: Category.COMMUNICATION,
    TimeoutError: Category.TIMEOUT,
    MemoryError: Category.RESOURCE,
    BlockingIOError: Category.RESOURCE,
    ImportError: Category.INITIALIZATION,
    RecursionError: Category.SYSTEM,
    OSError: Category.SYSTEM,
    Exception: Category.APPLICATION,
    BaseException: Category.CANCELLED,  # KeyboardInterrupt, SystemExit, GeneratorExit, asyncio's CancelledError
}

# Modules that need not be imported for this, and client libraries that share no ancestor with the built-in types.
_BY_NAME = {
    "gaierror": Category.CONNECTION,
    "ConnectTimeout": Category.CONNECTION,
    "ConnectTimeoutError": Category.CONNECTION,
    "PoolTimeout": Category.CONNECTION,
    "ConnectError": Category.CONNECTION,
    "ConnectionError": Category.COMMUNICATION,
    "RemoteProtocolError": Category.COMMUNICATION,
    "ReadError": Category.COMMUNICATION,
    "Timeout": Category.TIMEOUT,
    "TimeoutError": Category.TIMEOUT,
    "ReadTimeout": Category.TIMEOUT,
    "WriteTimeout": Category.TIMEOUT,
    "CancelledError": Category.CANCELLED,
}


def categorise(error: BaseException) -> Category:
    """The category of an exception. Runs no code of the exception, and never fails."""
    for ancestor in type(error).__mro__:
        category = _BY_TYPE.get(ancestor) or _BY_NAME.get(ancestor.__name__)
        if category is not None:
            return category
    return Category.SYSTEM
