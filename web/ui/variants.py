"""What does a feature look like to a person? Pure: its variants, and how they are typed into a form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.feature import Kind, ValueType, type_of
from web.ui.numbers import number

Answer = Mapping[str, Any]
Fields = Mapping[str, str]
EMPTY_ROWS = 2
NO_OBJECT = 'must be a JSON object, like {"if": [{"==": [{"var": "tier"}, "pro"]}, "on", null]}'
VALUE_TYPES = {
    ValueType.BOOLEAN: "true or false",
    ValueType.STRING: "Text",
    ValueType.NUMBER: "A number",
    ValueType.OBJECT: "A JSON object",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table; `side` is "baseline", "candidate" or ""."""

    name: str
    value: str
    side: str
    note: str


def is_feature(answer: Answer) -> bool:
    return bool(answer["kind"] == Kind.FEATURE)


def sided(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with both sides: a feature that is not moved has its default variant, and no candidate."""
    default = answer.get("default_variant", "")
    return {"baseline": default, "candidate": "", "variants": {}, "targeting": None, **answer}


def table(answer: Answer) -> list[Variant]:
    """The variants of a feature, with what each of them is."""
    sides = {answer["candidate"]: ("candidate", "moved to"), answer["baseline"]: ("baseline", "by default")}
    return [
        Variant(name, json.dumps(value, ensure_ascii=False), *sides.get(name, ("", "")))
        for name, value in answer["variants"].items()
    ]


def written(targeting: Any) -> str:  # noqa: ANN401 - a JSON value
    """JsonLogic as its text area shows it."""
    return json.dumps(targeting, indent=2, ensure_ascii=False) if targeting else ""


def read(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds, or the text that is none
    """What stays text is refused by the document."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def rows(fields: Fields) -> int:
    """How many rows for variants the form shows."""
    filled = [int(name.split("-")[1]) for name, text in fields.items() if _is_row(name) and text.strip()]
    return max(filled, default=-1) + 1 + (EMPTY_ROWS if fields.get("do") == "variant" or not filled else 0)


def _is_row(name: str) -> bool:
    beginning, _, rest = name.partition("-")
    return beginning == "variant" and rest.partition("-")[0].isdecimal()


def document(fields: Fields) -> dict[str, Any]:
    """What the form says of a feature."""
    kind = fields.get("value_type", ValueType.BOOLEAN)
    named = {}
    for row in range(rows(fields)):
        name, value = (fields.get(f"variant-{row}-{what}", "").strip() for what in ("name", "value"))
        if name or value:
            named[f"{name}, again" if name in named else name] = _value(kind, value)  # no name: refused by it
    texts = {name: fields.get(name, "").strip() for name in ("baseline", "candidate")}
    sides = texts if texts["candidate"] else {}
    targeting = read(fields.get("targeting", ""))
    return {"kind": Kind.FEATURE.value, "variants": named, "default_variant": texts["baseline"], **sides} | {
        "targeting": targeting
    }


def _value(kind: str, text: str) -> Any:  # noqa: ANN401 - a JSON value
    if kind == ValueType.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == ValueType.NUMBER:
        return number(text)
    return read(text) if kind == ValueType.OBJECT else text


def fields_of(answer: Answer) -> dict[str, str]:
    """A feature's document as the text of its form."""
    kind = next((type_of(value) for value in answer["variants"].values()), None) or ValueType.BOOLEAN
    texts = {"kind": Kind.FEATURE.value, "value_type": kind.value, "targeting": written(answer["targeting"])}
    for row, (name, value) in enumerate(answer["variants"].items()):
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        texts |= {f"variant-{row}-name": name, f"variant-{row}-value": shown}
    return texts


def starting_fields() -> dict[str, str]:
    """A switch, which most features are."""
    switch = {"variant-0-name": "on", "variant-0-value": "true", "variant-1-name": "off", "variant-1-value": "false"}
    return {"kind": Kind.FEATURE.value, "value_type": ValueType.BOOLEAN.value, "baseline": "off", **switch}


def shown_error(path: str, message: str) -> tuple[str, str]:
    """The form's field, and the sentence with the place that the field does not show."""
    field, _, place = path.partition(".")
    if field == "default_variant":
        return "baseline", message
    if path == "targeting" and message == "must be an object":
        return field, NO_OBJECT
    if place and field == "targeting":
        return field, f"at {place}: {message}"
    return field, f"{place}: {message}" if place else message
