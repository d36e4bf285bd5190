"""Reading JSON that others wrote: strictly, with the field named that cannot be accepted."""

import json
from typing import Any

from controlplane.domain.errors import FieldError, InvalidInput, Malformed

DEEPEST = 32
_TWICE = "\x00twice"  # no field of ours can have this name: NUL is refused below


def read_object(text: bytes | str) -> dict[str, Any]:
    """The JSON object. Raises Malformed when it is no JSON, InvalidInput for what JSON allows and we do not."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise _refused("body", f"is nested deeper than {DEEPEST} levels") from None
    except ValueError as error:
        message = f"the body is not valid JSON: {error}"
        raise Malformed(message) from None
    if not isinstance(value, dict):
        raise _refused("body", "must be an object")
    _check(value, "", 1)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON says nothing about a name given twice, and the last one would win unseen: it is marked, to be refused."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            found[_TWICE] = name
        found[name] = value
    return found


def _no_constant(name: str) -> Any:  # noqa: ANN401 - json's hook
    message = f"{name} is not a number of JSON"
    raise ValueError(message)


def _check(value: Any, path: str, depth: int) -> None:  # noqa: ANN401 - a JSON value
    if depth > DEEPEST:
        raise _refused(path, f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        if _TWICE in value:
            raise _refused(_below(path, value[_TWICE]), "is given twice")
        for name, each in value.items():
            _check_text(name, path or "body")
            _check(each, _below(path, name), depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _check(each, _below(path, str(number)), depth + 1)
    elif isinstance(value, str):
        _check_text(value, path)


def _check_text(text: str, path: str) -> None:
    """Databases refuse NUL, and half a surrogate pair is no character."""
    if "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise _refused(path, "holds a character that cannot be kept")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _refused(field: str, message: str) -> InvalidInput:
    return InvalidInput((FieldError(field, message),))
