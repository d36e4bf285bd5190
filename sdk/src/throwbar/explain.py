"""How would this exception be classified, and why? For people, and for `python -m throwbar explain-error`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from throwbar.evidence import classify
from throwbar.known_errors import DECIDED, EXACT, LEANING, Known, look_up
from throwbar.taxonomy import Delivery, ErrorInfo

_ORDER = ("category", "severity", "strategy", "delivery", "retryable", "countable", "retry after", "evidence")
_DELIVERY = {
    Delivery.NOT_SENT: "the backend never saw the call, so any kind of call may be made again",
    Delivery.REJECTED: "the backend answered and did not do it",
    Delivery.UNKNOWN: "it may have been done, so a write is not made again",
    Delivery.APPLIED: "it was done, only the answer could not be read",
}
_DEPENDS = {
    "requests.ConnectionError": "refused while connecting is not_sent, a lost reply is unknown",
    "requests.SSLError": "a certificate that was refused is not_sent, anything later is unknown",
    "requests.HTTPError": "the status of the response decides",
    "httpx.HTTPStatusError": "the status of the response decides",
    "aiohttp.ClientResponseError": "its status decides",
    "aiohttp.ContentTypeError": "its status decides; after a good one the call was done",
    "grpc.RpcError": "its code() decides",
}


class UnknownErrorClass(LookupError):
    """A name that is neither importable nor known. The message says what would happen to such an exception."""


def explain_error(error: BaseException | type[BaseException] | str) -> str:
    """A few lines about an exception, an exception class, or a dotted name of one, as `requests.ConnectionError`.

    A class that cannot be imported here is looked up by name. Raises UnknownErrorClass.
    """
    if isinstance(error, BaseException):
        return _lines(_title(type(error)), classify(error))
    if isinstance(error, str):
        kind = _imported(error)
        return _class(_title(kind), look_up(kind)) if kind is not None else _class(error, _by_name(error))
    return _class(_title(error), look_up(error))


def main(argv: Sequence[str] | None = None) -> int:
    """0 after an explanation, 2 when there is none."""
    parser = argparse.ArgumentParser(
        prog="python -m throwbar explain-error",
        description="Say how an exception class is classified: what that means for retry, fallback and the breaker.",
        epilog="exit status: 0 it is explained; 2 nothing is known of such a class, or wrong use",
    )
    parser.add_argument("error", metavar="CLASS", help="a dotted name, as requests.ConnectionError or KeyError")
    name = parser.parse_args(argv).error
    try:
        sys.stdout.write(explain_error(name) + "\n")
    except UnknownErrorClass as unknown:
        sys.stderr.write(f"{unknown}\n")
        return 2
    return 0


def _class(title: str, known: Known) -> str:
    info = known.info
    if known.settled:
        return _lines(title, info)
    depends = _DEPENDS.get(info.because) or _DEPENDS.get(_short(title)) or "what it carries and what caused it decide"
    evidence = f"the class alone does not decide: {depends}; without evidence as above"
    return _lines(title, info._replace(because=evidence))


def _lines(title: str, info: ErrorInfo) -> str:
    words = {
        "category": info.category,
        "severity": info.severity,
        "strategy": info.strategy,
        "delivery": f"{info.delivery}: {_DELIVERY[info.delivery]}",
        "retryable": "yes" if info.retryable else "no: the same backend would fail again",
        "countable": "yes: the breaker counts it" if info.countable else "no: it says nothing of the backend's health",
        "evidence": info.because,
    }
    if info.retry_after is not None:
        words["retry after"] = f"{info.retry_after:g} s, as the backend asks"
    return "\n".join([title, *(f"  {name:<12}{words[name]}" for name in _ORDER if name in words)])


def _title(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _short(name: str) -> str:
    """`requests.exceptions.ConnectionError` and `requests.ConnectionError` are known as the latter."""
    package, dot, rest = name.partition(".")
    return f"{package}.{rest.rpartition('.')[2]}" if dot else f"builtins.{name}"


def _imported(name: str) -> type[BaseException] | None:
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module or "builtins"), attribute, None)
    except Exception:  # noqa: BLE001 - importing runs anybody's code; the name is all that is needed
        return None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _by_name(name: str) -> Known:
    short = _short(name)
    tables: tuple[Mapping[str, ErrorInfo], ...] = (DECIDED, EXACT, LEANING)
    for table in tables:
        if short in table:
            return Known(table[short]._replace(because=short), table is not LEANING, named=True, may_carry=False)
    if short in _DEPENDS:
        return Known(LEANING["builtins.Exception"]._replace(because=short), settled=False, named=True, may_carry=True)
    raise UnknownErrorClass(
        f"{name!r} can neither be imported here nor is it known by name; unless it carries or is caused by something "
        "that is, it would be treated as an application error whose delivery is unknown."
    )
