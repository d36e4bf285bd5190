"""What the definitions of migrations and of features have in common, as people write it: percent, not buckets."""

from typing import Any

from pydantic import Field

from controlplane.documents.fields import Document, Name, Percent, Switch, Text
from controlplane.documents.guardrails import GuardrailsDocument
from controlplane.documents.plan import PlanDocument
from controlplane.documents.routing import BreakerDocument, RetryDocument, SwitchesDocument
from controlplane.domain import share
from controlplane.domain.constraints import Constraint
from controlplane.domain.flag import Operation, Operator, Rule, Side
from controlplane.domain.routing import CallKind, Mode


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


class Definition(Document):
    """The fields of a flag of either kind."""

    key: str
    description: Text = ""
    owner: Name = ""
    tags: list[Name] = Field(default_factory=list, max_length=50)
    enabled: Switch = False
    switches: SwitchesDocument = SwitchesDocument()
    operations: dict[str, OperationDocument] = Field(default_factory=dict)
    rules: list[RuleDocument] = Field(default_factory=list, max_length=200)
    guardrails: GuardrailsDocument | None = None
    plan: PlanDocument | None = None
    constraints: list[ConstraintDocument] = Field(default_factory=list, max_length=200)

    def common(self) -> dict[str, Any]:
        """The same fields of a domain flag."""
        return {
            "key": self.key,
            "description": self.description,
            "owner": self.owner,
            "tags": tuple(dict.fromkeys(self.tags)),
            "enabled": self.enabled,
            "switches": self.switches.to_domain(),
            "operations": {name: each.to_domain() for name, each in self.operations.items()},
            "rules": tuple(rule.to_domain() for rule in self.rules),
            "guardrails": self.guardrails.to_domain() if self.guardrails else None,
            "plan": self.plan.to_domain() if self.plan else None,
            "constraints": tuple(each.to_domain() for each in self.constraints),
        }
