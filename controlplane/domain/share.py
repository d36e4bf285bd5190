"""Share: how much of a flag's keys go to the candidate, in buckets; percent only at the edges."""

from decimal import Decimal, InvalidOperation

FULL = 100_000  # buckets, 0.001 % each. Never change: it would re-route every key.


def from_percent(percent: Decimal | float | str) -> int:
    """Percent 0…100 in steps of 0.001 → buckets 0…100 000. Raises ValueError with the sentence to show."""
    try:
        value = Decimal(str(percent))
    except InvalidOperation:
        message = f"{percent!r} is not a number"
        raise ValueError(message) from None
    if not value.is_finite() or not 0 <= value <= 100:
        raise ValueError("must be between 0 and 100")
    buckets = value * FULL / 100
    if buckets != int(buckets):
        raise ValueError("has steps of 0.001 %, which this is finer than")
    return int(buckets)


def to_percent(share: int) -> float | int:
    """Buckets → percent; whole numbers come back as int so that documents read `5`, not `5.0`."""
    percent = Decimal(share) * 100 / FULL
    return int(percent) if percent == int(percent) else float(percent)
