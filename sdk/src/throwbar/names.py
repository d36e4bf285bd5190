"""Which names may stand in a report? A report with any other is refused whole by the server."""

LONGEST = 100


def sendable(name: str) -> bool:
    """Not empty, at most 100 characters, no control character, no half of a pair."""
    # Not a regular expression: to compile one costs a host a sixtieth of this package's import.
    return 0 < len(name) <= LONGEST and not any(
        letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in name
    )
