"""Reading a request: its body, its If-Match, its query. What cannot be read is refused by name."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask import request
from werkzeug.exceptions import PreconditionRequired, UnsupportedMediaType

from controlplane.documents.reading import read_object
from controlplane.domain.errors import FieldError, InvalidInput, Malformed

_VERSION = re.compile(r'"([0-9]{1,18})"')
_JSON = frozenset({"application/json", "application/merge-patch+json"})
LONGEST_REASON = 2000


def body(*, optional: bool = False) -> dict[str, Any]:
    """The JSON object that was sent. Raises Malformed, InvalidInput; 413 and 415 as HTTP has them."""
    text = request.get_data()
    if not text and optional:
        return {}
    if request.mimetype not in _JSON:
        raise UnsupportedMediaType("send application/json")
    return read_object(text)


def expected_version() -> int | None:
    """The version that the caller saw, if they say so. Raises Malformed."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise Malformed('If-Match must be the version of the flag in quotes, like "7"')
    return int(match[1])


def required_version() -> int | None:
    """`expected_version`, which must be there: nobody may overwrite what they have not seen."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired('send If-Match with the version of the flag that you changed, like "7"')
    return expected_version()


def reason() -> str:
    """Why, for requests whose body is a document: `?reason=`. Raises InvalidInput."""
    given = text("reason") or ""
    if len(given) > LONGEST_REASON:
        raise _refused("reason", f"has at most {LONGEST_REASON} characters")
    return given


def text(name: str) -> str | None:
    """A parameter of the query. Raises InvalidInput for characters that no database can look for."""
    given = request.args.get(name)
    if given is not None and ("\x00" in given or any("\ud800" <= each <= "\udfff" for each in given)):
        raise _refused(name, "holds a character that cannot be looked for")
    return given


def truth(name: str) -> bool:
    given = text(name)
    if given not in {None, "true", "false"}:
        raise _refused(name, "must be true or false")
    return given == "true"


def whole(name: str, least: int, most: int, default: int | None = None) -> int | None:
    given = text(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,19}", given) or not least <= int(given) <= most:
        raise _refused(name, f"must be a whole number between {least} and {most}")
    return int(given)


def one_of(name: str, known: Collection[str]) -> str | None:
    """One of a few words. Raises InvalidInput."""
    given = text(name)
    if given is not None and given not in known:
        raise _refused(name, f"must be one of {', '.join(known)}")
    return given


def instant(name: str) -> datetime | None:
    """ISO 8601 with its offset, in which an unquoted + has become a blank."""
    given = text(name)
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1971 <= found.year <= 9000:
        raise _refused(name, "must be an instant like 2026-01-31T12:00:00Z")
    return found


def known(*names: str) -> None:
    """Refuse a parameter that nobody reads: a misspelt filter must not pass as no filter. Raises InvalidInput."""
    strange = [name for name in request.args if name not in names]
    if strange:
        raise InvalidInput(tuple(FieldError(name, "is not a known parameter") for name in strange))


def _refused(field: str, message: str) -> InvalidInput:
    return InvalidInput((FieldError(field, message),))
