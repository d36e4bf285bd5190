"""A flag as people write it, and as it is answered: percent instead of buckets, every field by its own name."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import ValidationError

from controlplane.documents.definition import Definition, OperationDocument
from controlplane.documents.feature import FIELDS, FeatureDocument, feature_fields
from controlplane.documents.fields import invalid
from controlplane.documents.guardrails import GuardrailsDocument, guardrails_document
from controlplane.documents.plan import PlanDocument, plan_document
from controlplane.documents.routing import settings_document
from controlplane.domain import share
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.feature import Kind
from controlplane.domain.flag import Flag, Operation
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.plan import Plan

READ_ONLY = ("version", "rollout", "created_at", "updated_at", "archived_at")


class FlagDocument(Definition):
    """A migration."""

    kind: Literal["migration"] = "migration"
    baseline: str
    candidate: str

    def to_domain(self) -> Flag:
        return Flag(**self.common(), baseline=self.baseline, candidate=self.candidate)


def parse_flag(document: Mapping[str, Any], *, key: str | None = None) -> Flag:
    """A document → a flag; read-only fields are passed over, so that an answer can be sent back.

    `key` is the one of the path; a body that names another is refused. Raises InvalidInput.
    """
    body = {name: value for name, value in document.items() if name not in READ_ONLY}
    if key is not None:
        body.setdefault("key", key)
    try:
        parsed = _shape(body).model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None
    if key is not None and parsed.key != key:
        message = f"is '{parsed.key}', but the address says '{key}': a key cannot be changed"
        raise InvalidInput((FieldError("key", message),))
    return parsed.to_domain()


def definition_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer is the definition: a list also tells how a flag fares. Raises InvalidInput."""
    return {name: value for name, value in answer.items() if name in _shape(answer).model_fields}


def _shape(body: Mapping[str, Any]) -> type[FlagDocument] | type[FeatureDocument]:
    """By its kind. Raises InvalidInput for one that there is not, and for a feature that is not called one."""
    kind = body.get("kind", Kind.MIGRATION)
    if kind not in tuple(Kind):
        raise InvalidInput((FieldError("kind", f"must be {' or '.join(Kind)}"),))
    if kind == Kind.FEATURE:
        return FeatureDocument
    if strange := [name for name in FIELDS if name in body]:
        raise InvalidInput(tuple(FieldError(name, 'is for features: say "kind": "feature"') for name in strange))
    return FlagDocument


def parse_operation(document: Mapping[str, Any]) -> Operation:
    """Raises InvalidInput."""
    try:
        return OperationDocument.model_validate(document).to_domain()
    except ValidationError as error:
        raise invalid(error) from None


def parse_guardrails(document: Mapping[str, Any]) -> Guardrails:
    """Raises InvalidInput."""
    try:
        return GuardrailsDocument.model_validate(document).to_domain()
    except ValidationError as error:
        raise invalid(error) from None


def parse_plan(document: Mapping[str, Any]) -> Plan:
    """Raises InvalidInput."""
    try:
        return PlanDocument.model_validate(document).to_domain()
    except ValidationError as error:
        raise invalid(error) from None


def flag_document(flag: Flag) -> dict[str, Any]:
    """The definition of a flag, as it would be written to create it."""
    document: dict[str, Any] = {
        "key": flag.key,
        "kind": flag.kind.value,
        "description": flag.description,
        "owner": flag.owner,
        "tags": list(flag.tags),
        **sides_document(flag),
        "enabled": flag.enabled,
        "switches": asdict(flag.switches),
        "operations": {name: operation_document(each) for name, each in flag.operations.items()},
        "rules": [
            {
                "attribute": rule.attribute,
                "operator": rule.operator.value,
                "values": list(rule.values),
                "serve": rule.serve.value,
            }
            for rule in flag.rules
        ],
        "guardrails": guardrails_document(flag.guardrails) if flag.guardrails else None,
        "plan": plan_document(flag.plan) if flag.plan else None,
    }
    if flag.constraints:
        document["constraints"] = [
            {"operation": each.operation, "not_above": each.not_above} for each in flag.constraints
        ]
    return document


def sides_document(flag: Flag) -> dict[str, Any]:
    """What a flag is moved between: backends, or variants with who gets which."""
    if flag.feature:
        return feature_fields(flag, flag.feature)
    return {"baseline": flag.baseline, "candidate": flag.candidate}


def operation_document(operation: Operation) -> dict[str, Any]:
    """Percent and mode, and whatever else was written."""
    document: dict[str, Any] = {"percent": share.to_percent(operation.share), "mode": operation.mode.value}
    if operation.kind:
        document["kind"] = operation.kind.value
    if operation.shadow_share is not None:
        document["shadow_percent"] = share.to_percent(operation.shadow_share)
    for name, settings in (("breaker", operation.breaker), ("retry", operation.retry)):
        if fields := settings_document(settings):
            document[name] = fields
    if operation.guardrails:
        document["guardrails"] = dict(operation.guardrails)
    return document
