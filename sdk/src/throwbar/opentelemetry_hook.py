"""How do calls show up in OpenTelemetry? For `pip install throwbar[opentelemetry]`; nothing else imports this.

    client = throwbar.Client(hooks=[OpenTelemetryHook()])

Each decision is an event `feature_flag.evaluation` with the attributes of the semantic conventions; what happens
otherwise are events of our own. The current span gets the outcome of the calls made in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry._logs import Logger, LogRecord, SeverityNumber, get_logger

from throwbar.decision import Decision, Reason
from throwbar.hooks import BreakerChange, Evaluation, Hook, Outcome
from throwbar.standard_reasons import STANDARD_REASONS
from throwbar.version import __version__

Attribute = str | bool | int | float


class OpenTelemetryHook(Hook):
    """`keys` sends the key of each call as `feature_flag.context.id`: off, as keys may tell who somebody is.

    `logger` is where events go, by default that of the global provider.
    """

    def __init__(self, *, keys: bool = False, logger: Logger | None = None) -> None:
        self._keys = keys
        self._logger = logger or get_logger("throwbar", __version__)

    def decided(self, decision: Decision, key: str | None) -> None:
        attributes: dict[str, Attribute] = {
            "feature_flag.key": decision.flag,
            "feature_flag.result.variant": decision.backend,
            "feature_flag.result.reason": STANDARD_REASONS[decision.reason].lower(),
            "feature_flag.provider.name": "throwbar",
            "feature_flag.version": str(decision.version),
            "throwbar.operation": decision.operation,
            "throwbar.reason": str(decision.reason),
        }
        if self._keys and key is not None:
            attributes["feature_flag.context.id"] = key
        if decision.reason is Reason.SDK_ERROR:
            attributes["error.type"] = "general"
        self._emit("feature_flag.evaluation", SeverityNumber.INFO, attributes)

    def evaluated(self, evaluation: Evaluation, key: str | None) -> None:
        attributes: dict[str, Attribute] = {
            "feature_flag.key": evaluation.flag,
            "feature_flag.result.reason": evaluation.reason.lower(),
            "feature_flag.provider.name": "throwbar",
            "feature_flag.set.id": evaluation.environment,
            "feature_flag.version": evaluation.version,
        }
        if evaluation.variant is not None:
            attributes["feature_flag.result.variant"] = evaluation.variant
        if self._keys and key is not None:
            attributes["feature_flag.context.id"] = key
        if evaluation.error is not None:
            attributes["error.type"] = evaluation.error.lower()
            attributes["feature_flag.error.message"] = evaluation.message
        self._emit("feature_flag.evaluation", SeverityNumber.INFO, attributes)

    def ended(self, outcome: Outcome) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            beginning = f"throwbar.{outcome.decision.flag}.{outcome.decision.operation}"
            span.set_attributes({f"{beginning}.{name}": value for name, value in _facts(outcome).items()})

    def fell_back(self, outcome: Outcome) -> None:
        self._emit("throwbar.fallback", SeverityNumber.WARN, _names(outcome.decision) | _prefixed(outcome))

    def outcome_unknown(self, outcome: Outcome) -> None:
        self._emit("throwbar.outcome_unknown", SeverityNumber.ERROR, _names(outcome.decision) | _prefixed(outcome))

    def breaker_changed(self, change: BreakerChange) -> None:
        transition = change.transition
        attributes: dict[str, Attribute] = {
            "feature_flag.key": change.flag,
            "throwbar.operation": change.operation,
            "throwbar.backend": change.backend,
            "throwbar.side": change.side,
            "throwbar.breaker.before": str(transition.before),
            "throwbar.breaker.after": str(transition.after),
            "throwbar.breaker.cause": str(transition.cause),
            "throwbar.breaker.failure_rate": transition.failure_rate,
        }
        self._emit(f"throwbar.{transition.event}", SeverityNumber.WARN, attributes)

    def _emit(self, name: str, severity: SeverityNumber, attributes: Mapping[str, Attribute]) -> None:
        self._logger.emit(LogRecord(event_name=name, severity_number=severity, attributes=attributes))


def _names(decision: Decision) -> dict[str, Attribute]:
    return {"feature_flag.key": decision.flag, "throwbar.operation": decision.operation}


def _facts(outcome: Outcome) -> dict[str, Attribute]:
    facts: dict[str, Attribute] = {
        "backend": outcome.decision.backend,
        "assigned_by": outcome.assigned_by,
        "seconds": outcome.seconds,
        "retries": outcome.retries,
    }
    return facts | ({} if outcome.category is None else {"error": str(outcome.category)})


def _prefixed(outcome: Outcome) -> dict[str, Attribute]:
    return {f"throwbar.{name}": value for name, value in _facts(outcome).items()}
