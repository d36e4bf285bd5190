"""Field types that several documents share, and Pydantic's complaints in our words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from controlplane.domain import share
from controlplane.domain.errors import FieldError, InvalidInput


class Document(BaseModel):
    """Unknown fields are refused: a misspelt limit must not pass as no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Shape = TypeVar("Shape", bound=Document)


def _percent(value: float) -> float:
    share.from_percent(value)
    return value


def _number(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, bool | str):
        message = "must be a number"
        raise ValueError(message)  # noqa: TRY004 - Pydantic turns ValueError into a field error
    return value


def _instant(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None or not 1971 <= found.year <= 9000:
        raise ValueError(_LIKE_AN_INSTANT)
    return found.astimezone(UTC)


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number)]
Percent = Annotated[Number, AfterValidator(_percent)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Switch = StrictBool  # "no" and 0 are no booleans: a guess would switch a flag
Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=200)]

_LIKE_AN_INSTANT = "must be an instant with its offset, like 2026-01-31T12:00:00Z"
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "datetime_parsing": _LIKE_AN_INSTANT,
    "datetime_from_date_parsing": _LIKE_AN_INSTANT,
    "datetime_type": _LIKE_AN_INSTANT,
    "timezone_aware": _LIKE_AN_INSTANT,
    "too_short": "must have at least {min_length}, has {actual_length}",
    "too_long": "must have at most {max_length}, has {actual_length}",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def invalid(error: ValidationError, prefix: str = "") -> InvalidInput:
    """Pydantic's errors as ours: one sentence a field."""
    return InvalidInput(tuple(FieldError(_path(prefix, each["loc"]), _sentence(each)) for each in error.errors()))


def _path(prefix: str, location: tuple[int | str, ...]) -> str:
    parts = [prefix, *(str(part) for part in location)] if prefix else [str(part) for part in location]
    return ".".join(parts) or "body"


def _sentence(error: Any) -> str:  # noqa: ANN401 - Pydantic's ErrorDetails
    known = _SENTENCES.get(error["type"])
    if known is None:
        return str(error["msg"]).removeprefix("Value error, ").replace("Input should", "should")
    bounds = error.get("ctx", {}).items()
    return known.format_map({name: f"{each:.15g}" if isinstance(each, float) else each for name, each in bounds})


def parse(document: type[Shape], body: Mapping[str, Any]) -> Shape:
    """A body in its shape. Raises InvalidInput."""
    try:
        return document.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None
