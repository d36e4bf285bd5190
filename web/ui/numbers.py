"""How is a number read that a person wrote? Pure."""

from decimal import Decimal, InvalidOperation
from typing import Any


def number(text: str) -> Any:  # noqa: ANN401 - a number, or the text that is none
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    return int(value) if value == int(value) else float(value)


def fraction(text: str) -> Any:  # noqa: ANN401 - as `number`
    """Percent as a fraction: "5" → 0.05, exactly."""
    try:
        return float(Decimal(text.strip().replace(",", ".")) / 100)
    except InvalidOperation:
        return text
