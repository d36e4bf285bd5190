"""Which names may stand in a report? A report with any other is refused whole by the server."""

import re

LONGEST = 100
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def sendable(name: str) -> bool:
    """Not empty, at most 100 characters, no control character, no half of a pair."""
    return 0 < len(name) <= LONGEST and not _UNSENDABLE.search(name)
