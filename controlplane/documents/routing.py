"""How services call the backends of a flag, as people write it: switches, breakers and retries."""

from typing import Any

from controlplane.documents.fields import Document, Number, Switch, Whole
from controlplane.domain.routing import Breaker, BreakerMode, Retry, Switches, written


class SwitchesDocument(Document):
    affinity: Switch = True
    breaker: Switch = True
    retry: Switch = True
    fallback: Switch = True
    shadow: Switch = True

    def to_domain(self) -> Switches:
        return Switches(**self.model_dump())


class BreakerDocument(Document):
    """A field that is null, or left out, is not written: the code's own setting holds."""

    mode: BreakerMode | None = None
    failure_rate: Number | None = None
    slow_rate: Number | None = None
    slow_seconds: Number | None = None
    min_calls: Whole | None = None
    consecutive: Whole | None = None
    window_seconds: Number | None = None
    open_seconds: Number | None = None

    def to_domain(self) -> Breaker:
        return Breaker(**{name: getattr(self, name) for name in type(self).model_fields})


class RetryDocument(Document):
    """As above."""

    attempts: Whole | None = None
    base_seconds: Number | None = None
    cap_seconds: Number | None = None

    def to_domain(self) -> Retry:
        return Retry(**self.model_dump())


def settings_document(settings: Breaker | Retry) -> dict[str, Any]:
    """What was written; whole numbers without a point."""
    return {name: _plain(value) for name, value in written(settings).items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    return int(value) if isinstance(value, float) and value == int(value) else value
