"""How does the text of a form become a document, and a document the text of a form? Pure.

A number that cannot be read stays text: the document refuses it with the field's name, like every other mistake.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from controlplane.documents.feature import FIELDS
from controlplane.documents.flag import parse_flag
from controlplane.documents.guardrails import guardrails_document
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.feature import Kind
from controlplane.domain.flag_rules import check
from controlplane.domain.guardrails import Guardrails
from web.ui import plan_forms, variants
from web.ui.numbers import fraction, number

Fields = Mapping[str, str]
QUANTILES = ("p50", "p90", "p95", "p99", "p999")
KINDS = ("read", "write")
SILENCES = ("no_telemetry", "too_few", "one_side")

# Where a form asks for percent, the domain's sentence about fractions would puzzle.
_REWORDED = {
    "guardrails.max_error_rate": "must be above 0 % and below 100 %",
    "guardrails.compare.error_rate_margin": "must be at least 0 and below 100 percentage points",
}
# Where a document's field is shown under another name.
_SHOWN_AS = {
    "guardrails.window_seconds": "window_seconds",
    "guardrails.min_samples": "min_samples",
    "guardrails.max_error_rate": "max_error_rate",
    "guardrails.on_breach": "on_breach",
    "guardrails.rollback_scope": "rollback_scope",
}


def document(fields: Fields, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The flag that the form describes; what it does not show is kept as it is in `current`."""
    before = current or {}
    common = {
        "key": before.get("key") or fields.get("key", "").strip(),
        "description": fields.get("description", "").strip(),
        "owner": fields.get("owner", "").strip(),
        "tags": _listed(fields.get("tags", "")),
        "enabled": before.get("enabled", False),
        "switches": before.get("switches", {}),
        "operations": _operations(fields, before.get("operations") or {}),
        "rules": _rules(fields.get("rules", "")),
        "guardrails": guardrails_of(fields, before.get("guardrails") or {}) if fields.get("guarded") else None,
        "plan": plan_forms.plan(fields),
        "constraints": plan_forms.constraints(fields),
    }
    if fields.get("kind") == Kind.FEATURE:
        return common | variants.document(fields)
    return common | {name: fields.get(name, "").strip() for name in ("baseline", "candidate")}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def _operations(fields: Fields, before: Mapping[str, Any]) -> dict[str, Any]:
    lines = [line.split() for line in fields.get("operations", "").splitlines() if line.strip()]
    return {name: _of_kind(before.get(name, {"percent": 0}), kind) for name, kind in map(_named, lines)}


def _named(words: list[str]) -> tuple[str, str | None]:
    """From "search read": what the operation is called, and the kind of its calls where one is said."""
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 and words[-1] in KINDS else (" ".join(words), None)


def _of_kind(operation: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    rest = {name: value for name, value in operation.items() if name != "kind"}
    return rest | ({"kind": kind} if kind else {})


def _rules(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds, or the text that is none
    if not text.strip():
        return []
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def guardrails_of(fields: Fields, before: Mapping[str, Any]) -> dict[str, Any]:
    """The guardrails that the form describes; what it does not show is kept as it is in `before`."""
    filled = {name: fields[name] for name in fields if fields[name].strip()}
    limits = {name: number(filled[f"latency_{name}"]) for name in QUANTILES if f"latency_{name}" in filled}
    wanted: dict[str, Any] = {"max_latency_ms": limits, "compare": _compare(filled, before.get("compare") or {})}
    for name in ("window_seconds", "min_samples"):
        if name in filled:
            wanted[name] = number(filled[name])
    if "max_error_rate" in filled:
        wanted["max_error_rate"] = fraction(filled["max_error_rate"])
    for name in ("on_breach", "rollback_scope"):
        if name in filled:
            wanted[name] = filled[name]
    silences = {name: filled[f"silence_{name}"] for name in SILENCES if f"silence_{name}" in filled}
    return {**_kept(before, ("design_effect",)), **wanted, "on_silence": silences}


def _kept(before: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What the form does not show stays as it is."""
    return {name: before[name] for name in names if name in before}


def _compare(filled: Fields, before: Mapping[str, Any]) -> dict[str, Any] | None:
    if "compare" not in filled:
        return None
    wanted = {name: number(filled[name]) for name in ("error_rate_ratio", "latency_ratio", "alpha") if name in filled}
    if "error_rate_margin" in filled:
        wanted["error_rate_margin"] = fraction(filled["error_rate_margin"])
    return {**_kept(before, ("beta", "sample_ratio_alpha")), **wanted}


def fields_of(document: Mapping[str, Any]) -> dict[str, str]:
    """A flag's document as the text of its form."""
    texts = {name: str(document[name]) for name in ("key", "description", "owner", "baseline", "candidate")}
    texts |= variants.fields_of(document) if variants.is_feature(document) else {}
    texts |= {"tags": ", ".join(document["tags"]), "operations": "\n".join(map(_line, document["operations"].items()))}
    texts["rules"] = json.dumps(document["rules"], indent=2, ensure_ascii=False) if document["rules"] else ""
    if document["guardrails"]:
        texts |= guardrail_fields(document["guardrails"])
    if document["plan"]:
        texts |= plan_forms.plan_fields(document["plan"])
    return texts | plan_forms.constraint_fields(document)


def _line(operation: tuple[str, Mapping[str, Any]]) -> str:
    name, settings = operation
    return f"{name} {settings['kind']}" if settings.get("kind") else name


def guardrail_fields(limits: Mapping[str, Any]) -> dict[str, str]:
    """Guardrails as the text of a form."""
    texts = {name: str(limits[name]) for name in ("window_seconds", "min_samples", "on_breach", "rollback_scope")}
    texts |= {"guarded": "on", "max_error_rate": percent_text(limits["max_error_rate"])}
    texts |= {f"latency_{name}": f"{value:g}" for name, value in limits["max_latency_ms"].items()}
    texts |= {f"silence_{name}": limits["on_silence"][name] for name in SILENCES}
    if compare := limits["compare"]:
        texts |= {name: f"{compare[name]:g}" for name in ("error_rate_ratio", "latency_ratio", "alpha")}
        texts |= {"compare": "on", "error_rate_margin": percent_text(compare["error_rate_margin"])}
    return texts


def percent_text(value: float | None) -> str:
    """0.05 → "5"."""
    return "" if value is None else f"{float(Decimal(str(value)) * 100):g}"


def shown_errors(errors: Iterable[FieldError]) -> dict[str, str]:
    """Errors by the name of the form's field; the first one of a field is enough."""
    told = list(errors)
    shown: dict[str, str] = {}
    paths = {error.field for error in told}
    for error in told:
        if _of_the_flag(error.field) in paths:
            continue  # each operation repeats what is wrong with the flag's own guardrails
        name, message = _field_name(error.field), _REWORDED.get(error.field, error.message)
        if error.field.partition(".")[0] in FIELDS:
            name, message = variants.shown_error(error.field, message)
        shown.setdefault(name, message)
    return shown


def _of_the_flag(path: str) -> str | None:
    """operations.echo.guardrails.x → guardrails.x; None for any other path."""
    operation, dot, rest = path.partition(".guardrails.")
    return f"guardrails.{rest}" if dot and operation.startswith("operations.") else None


def _field_name(path: str) -> str:
    if path in _SHOWN_AS:
        return _SHOWN_AS[path]
    if (name := plan_forms.field_name(path)) is not None:
        return name
    parts = path.split(".")
    if path.startswith("guardrails.max_latency_ms."):
        return f"latency_{parts[2]}"
    if path.startswith(("guardrails.compare.", "guardrails.on_silence.")):
        return f"silence_{parts[2]}" if parts[1] == "on_silence" else parts[2]
    return parts[0] if parts[0] in ("operations", "rules", "tags") else path


def starting_fields(kind: str = Kind.MIGRATION) -> dict[str, str]:
    """What an empty form begins with: guardrails that are on, because nobody should have to think of them.

    A feature has them once it is moved.
    """
    if kind == Kind.FEATURE:
        return {**starting_fields(), **variants.starting_fields(), "guarded": ""}
    return guardrail_fields(guardrails_document(Guardrails(max_error_rate=0.05, max_latency_ms={"p99": 1000})))


def every_error(document: Mapping[str, Any], told: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """Those, and what is wrong with the rest: what cannot be read must not hide what can be read and is wrong."""
    unreadable = {error.field.split(".")[0] for error in told}
    rest = {name: value for name, value in document.items() if name not in unreadable}
    try:
        check(parse_flag(rest))
    except InvalidInput as error:
        return told + tuple(each for each in error.errors if each.field.split(".")[0] not in unreadable)
    return told


def label(name: str) -> str:
    """A field's name as people read it: "stage-0-percent" → "Stage 1, percent"."""
    if name.startswith("stage-"):
        _, row, what = name.split("-", 2)
        return f"Stage {int(row) + 1}, {what}"
    return name.replace("_", " ").capitalize()
