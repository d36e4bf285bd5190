"""Guardrails and plans as people write them."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from controlplane.documents.fields import Document, Number, Percent, Switch, Whole
from controlplane.domain import share
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach, OnSilence, Overrides, Scope, Silence
from controlplane.domain.plan import Plan, Stage


class SilenceDocument(Document):
    no_telemetry: OnSilence = OnSilence.HOLD
    too_few: OnSilence = OnSilence.HOLD
    one_side: OnSilence = OnSilence.HOLD


class CompareDocument(Document):
    error_rate_ratio: Number = 1.1
    error_rate_margin: Number = 0.0005
    latency_ratio: Number = 1.19
    alpha: Number = 0.01


class GuardrailsDocument(Document):
    window_seconds: Whole = 60
    min_samples: Whole = 200
    max_error_rate: Number | None = None
    max_latency_ms: dict[str, Number] = Field(default_factory=dict)
    compare: CompareDocument | None = CompareDocument()
    on_breach: OnBreach = OnBreach.ROLLBACK
    on_silence: SilenceDocument = SilenceDocument()
    rollback_scope: Scope = Scope.FLAG

    def to_domain(self) -> Guardrails:
        values = {name: getattr(self, name) for name in type(self).model_fields}
        values["compare"] = Compare(**self.compare.model_dump()) if self.compare else None
        values["on_silence"] = Silence(**self.on_silence.model_dump())
        return Guardrails(**values)

    def to_overrides(self) -> Overrides:
        """Only the fields that were written: the others are the flag's."""
        return self.model_dump(exclude_unset=True)


def guardrails_document(limits: Guardrails) -> dict[str, Any]:
    compare = limits.compare
    return {
        "window_seconds": limits.window_seconds,
        "min_samples": limits.min_samples,
        "max_error_rate": limits.max_error_rate,
        "max_latency_ms": dict(limits.max_latency_ms),
        "compare": {
            "error_rate_ratio": compare.error_rate_ratio,
            "error_rate_margin": compare.error_rate_margin,
            "latency_ratio": compare.latency_ratio,
            "alpha": compare.alpha,
        }
        if compare
        else None,
        "on_breach": limits.on_breach.value,
        "on_silence": {
            "no_telemetry": limits.on_silence.no_telemetry.value,
            "too_few": limits.on_silence.too_few.value,
            "one_side": limits.on_silence.one_side.value,
        },
        "rollback_scope": limits.rollback_scope.value,
    }


class StageDocument(Document):
    percent: Percent
    bake_seconds: Number = Field(ge=0, le=366 * 86_400)
    approval: Switch = False

    def to_domain(self) -> Stage:
        return Stage(share.from_percent(self.percent), timedelta(seconds=self.bake_seconds), self.approval)


class PlanDocument(Document):
    stages: list[StageDocument] = Field(min_length=1, max_length=100)
    operations: list[str] = Field(default_factory=list)

    def to_domain(self) -> Plan:
        return Plan(tuple(stage.to_domain() for stage in self.stages), tuple(self.operations))


def plan_document(plan: Plan) -> dict[str, Any]:
    stages = [
        {
            "percent": share.to_percent(stage.share),
            "bake_seconds": _plain(stage.bake.total_seconds()),
            "approval": stage.approval,
        }
        for stage in plan.stages
    ]
    return {"stages": stages, "operations": list(plan.operations)}


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
