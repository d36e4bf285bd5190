"""A flag as people write it, and as it is answered: percent instead of buckets, every field by its own name."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field, ValidationError

from controlplane.documents.fields import Document, Name, Percent, Switch, Text, invalid
from controlplane.documents.guardrails import GuardrailsDocument, guardrails_document
from controlplane.documents.plan import PlanDocument, plan_document
from controlplane.documents.routing import BreakerDocument, RetryDocument, SwitchesDocument, settings_document
from controlplane.domain import share
from controlplane.domain.constraints import Constraint
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.plan import Plan
from controlplane.domain.routing import CallKind, Mode

READ_ONLY = ("version", "rollout", "created_at", "updated_at", "archived_at")


class RuleDocument(Document):
    attribute: Name = Field(min_length=1)
    operator: Operator
    values: list[Name] = Field(min_length=1, max_length=1000)
    serve: Side

    def to_domain(self) -> Rule:
        return Rule(self.attribute, self.operator, tuple(self.values), self.serve)


class OperationDocument(Document):
    kind: CallKind | None = None
    percent: Percent = 0
    mode: Mode = Mode.SINGLE
    shadow_percent: Percent | None = None
    breaker: BreakerDocument | None = None
    retry: RetryDocument | None = None
    guardrails: GuardrailsDocument | None = None

    def to_domain(self) -> Operation:
        return Operation(
            share=share.from_percent(self.percent),
            mode=self.mode,
            shadow_share=None if self.shadow_percent is None else share.from_percent(self.shadow_percent),
            breaker=(self.breaker or BreakerDocument()).to_domain(),
            retry=(self.retry or RetryDocument()).to_domain(),
            guardrails=self.guardrails.to_overrides() if self.guardrails else {},
            kind=self.kind,
        )


class ConstraintDocument(Document):
    operation: Name
    not_above: Name

    def to_domain(self) -> Constraint:
        return Constraint(self.operation, self.not_above)


class FlagDocument(Document):
    key: str
    kind: Literal["migration"] = "migration"
    description: Text = ""
    owner: Name = ""
    tags: list[Name] = Field(default_factory=list, max_length=50)
    baseline: str
    candidate: str
    enabled: Switch = False
    switches: SwitchesDocument = SwitchesDocument()
    operations: dict[str, OperationDocument] = Field(default_factory=dict)
    rules: list[RuleDocument] = Field(default_factory=list, max_length=200)
    guardrails: GuardrailsDocument | None = None
    plan: PlanDocument | None = None
    constraints: list[ConstraintDocument] = Field(default_factory=list, max_length=200)

    def to_domain(self) -> Flag:
        return Flag(
            key=self.key,
            baseline=self.baseline,
            candidate=self.candidate,
            description=self.description,
            owner=self.owner,
            tags=tuple(dict.fromkeys(self.tags)),
            enabled=self.enabled,
            switches=self.switches.to_domain(),
            operations={name: each.to_domain() for name, each in self.operations.items()},
            rules=tuple(rule.to_domain() for rule in self.rules),
            guardrails=self.guardrails.to_domain() if self.guardrails else None,
            plan=self.plan.to_domain() if self.plan else None,
            constraints=tuple(each.to_domain() for each in self.constraints),
        )


def parse_flag(document: Mapping[str, Any], *, key: str | None = None) -> Flag:
    """A document → a flag; read-only fields are passed over, so that an answer can be sent back.

    `key` is the one of the path; a body that names another is refused. Raises InvalidInput.
    """
    body = {name: value for name, value in document.items() if name not in READ_ONLY}
    if key is not None:
        body.setdefault("key", key)
    try:
        parsed = FlagDocument.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None
    if key is not None and parsed.key != key:
        message = f"is '{parsed.key}', but the address says '{key}': a key cannot be changed"
        raise InvalidInput((FieldError("key", message),))
    return parsed.to_domain()


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
        "kind": "migration",
        "description": flag.description,
        "owner": flag.owner,
        "tags": list(flag.tags),
        "baseline": flag.baseline,
        "candidate": flag.candidate,
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
