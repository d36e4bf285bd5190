"""How large is a JSON value, and which of its numbers would be read differently elsewhere?"""

import math
from collections.abc import Iterator, Mapping

LARGEST_WHOLE = 2**53 - 1  # beyond it a double, which most languages read numbers into, has gaps


def below(value: object) -> Iterator[tuple[str, object]]:
    """Name or number → what an object or a list holds; nothing for anything else."""
    if isinstance(value, Mapping):
        yield from ((str(name), each) for name, each in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(number), each) for number, each in enumerate(value))


def depth(value: object) -> int:
    """1 for a text or a number, one more for each object or list around it."""
    return 1 + max((depth(each) for _, each in below(value)), default=0)


def unsafe_number(value: object) -> str | None:
    """Why a number cannot be kept; None where it can, and for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value):
        return "is larger than any number that JSON readers keep"
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        return f"is beyond ±{LARGEST_WHOLE}, where languages round differently: write it as text"
    return None
