"""Origins: whose pages may ask from a browser. An origin is what a page was loaded from: scheme, host and port."""

import re
from collections.abc import Collection

ANY = "*"
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_USUAL = {("http", ":80"), ("https", ":443")}  # browsers leave these out


def read_origins(text: str) -> frozenset[str]:
    """`*`, or origins separated by commas, as browsers write them. Raises ValueError with a sentence."""
    parts = [each.strip().lower() for each in text.split(",")]
    if parts == [ANY]:
        return frozenset(parts)
    return frozenset(map(_origin, parts))


def _origin(text: str) -> str:
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ValueError("must be origins like https://app.example.org, without a path, separated by commas, or *")
    scheme, host, port = match[1], match[2], match[3] or ""
    return f"{scheme}://{host}" if (scheme, port) in _USUAL else text


def admits(origins: Collection[str], origin: str) -> bool:
    return ANY in origins or origin.lower() in origins
