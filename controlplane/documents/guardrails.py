"""Guardrails as people write them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from controlplane.documents.fields import Document, Number, Whole
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach, OnSilence, Overrides, Scope, Silence

AUTO = "auto"


def _measured_or_number(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str) and value != AUTO:
        message = f'must be "{AUTO}" or a number from 1 on'
        raise ValueError(message)
    return None if value == AUTO else value


DesignEffect = Annotated[Number | None, BeforeValidator(_measured_or_number)]


class SilenceDocument(Document):
    no_telemetry: OnSilence = OnSilence.HOLD
    too_few: OnSilence = OnSilence.HOLD
    one_side: OnSilence = OnSilence.HOLD


class CompareDocument(Document):
    error_rate_ratio: Number = 1.1
    error_rate_margin: Number = 0.0005
    latency_ratio: Number = 1.19
    alpha: Number = 0.01
    beta: Number = 0.05
    sample_ratio_alpha: Number | None = 0.001


class GuardrailsDocument(Document):
    window_seconds: Whole = 60
    min_samples: Whole = 200
    max_error_rate: Number | None = None
    max_latency_ms: dict[str, Number] = Field(default_factory=dict)
    compare: CompareDocument | None = CompareDocument()
    on_breach: OnBreach = OnBreach.ROLLBACK
    on_silence: SilenceDocument = SilenceDocument()
    rollback_scope: Scope = Scope.FLAG
    design_effect: DesignEffect = Field(default=None, description='"auto", or a number from 1 on')

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
            "beta": compare.beta,
            "sample_ratio_alpha": compare.sample_ratio_alpha,
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
        "design_effect": AUTO if limits.design_effect is None else limits.design_effect,
    }
