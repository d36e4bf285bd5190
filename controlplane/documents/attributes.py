"""The attributes of a call as somebody types them: a JSON object, or lines like `tenant=acme`."""

from typing import Any

from controlplane.documents.reading import read_object
from controlplane.domain.errors import FieldError, InvalidInput, Malformed

LONGEST = 4_000  # characters


def read_attributes(text: str) -> dict[str, Any]:
    """Raises InvalidInput with the sentence to show."""
    given = text.strip()
    if len(given) > LONGEST:
        raise _refused(f"have at most {LONGEST} characters")
    return _object(given) if given.startswith(("{", "[")) else dict(_line(each) for each in _lines(given))


def _object(text: str) -> dict[str, Any]:
    try:
        return read_object(text.encode())
    except Malformed as error:
        message = f"are no JSON object ({error.message}); lines like tenant=acme do as well"
        raise _refused(message) from None


def _lines(text: str) -> list[str]:
    return [line for line in (each.strip() for each in text.splitlines()) if line]


def _line(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    if not sign or not name.strip():
        message = f"have a line without a name and =: {line[:60]!r}; write lines like tenant=acme, or a JSON object"
        raise _refused(message)
    return name.strip(), value.strip()


def _refused(message: str) -> InvalidInput:
    return InvalidInput((FieldError("attributes", message),))
