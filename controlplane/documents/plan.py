"""Rollout plans as people write them: percent, seconds, hours by a zone's clocks."""

import re
from datetime import UTC, time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from controlplane.documents.fields import Document, Instant, Name, Number, Percent, Switch, Text, Whole
from controlplane.domain import share
from controlplane.domain.calendar import Weekday, Window
from controlplane.domain.convergence import Barrier
from controlplane.domain.phases import Phase, PlanKind, share_in
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.routing import Mode

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _clock(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return time.fromisoformat(value)
    message = 'must be a time like "09:00"'
    raise ValueError(message)


Clock = Annotated[time, BeforeValidator(_clock)]


class WindowDocument(Document):
    days: list[Weekday] = Field(default=list(Weekday), min_length=1, max_length=7)
    opens: Clock
    closes: Clock
    zone: Name = "UTC"

    def to_domain(self) -> Window:
        return Window(tuple(each for each in Weekday if each in self.days), self.opens, self.closes, self.zone)


class StageDocument(Document):
    phase: Phase | None = None
    percent: Percent | None = Field(default=None, validate_default=True)
    bake_seconds: Number = Field(ge=0, le=366 * 86_400)
    approval: Switch = False
    min_samples: Whole | None = None
    notes: Text = ""
    prove: Switch = False
    mode: Mode | None = None
    shadow_percent: Percent | None = None

    @field_validator("percent")
    @classmethod
    def _is_known(cls, percent: float | None, info: ValidationInfo) -> float | None:
        """A phase that allows one share only need not name it."""
        phase = info.data.get("phase")
        if percent is None and (phase is None or share_in(phase) is None):
            raise ValueError("is missing")
        return percent

    def to_domain(self) -> Stage:
        fixed = share_in(self.phase) if self.phase else None
        return Stage(
            share=(fixed or 0) if self.percent is None else share.from_percent(self.percent),
            bake=timedelta(seconds=self.bake_seconds),
            approval=self.approval,
            min_samples=self.min_samples,
            notes=self.notes,
            prove=self.prove,
            mode=self.mode,
            shadow_share=None if self.shadow_percent is None else share.from_percent(self.shadow_percent),
            phase=self.phase,
        )


class PlanDocument(Document):
    stages: list[StageDocument] = Field(min_length=1, max_length=100)
    operations: list[str] = Field(default_factory=list)
    lags: dict[str, Whole] = Field(default_factory=dict)
    start_at: Instant | None = None
    windows: list[WindowDocument] = Field(default_factory=list, max_length=20)
    two_person: Switch = False
    barrier: Barrier | None = None
    kind: PlanKind = PlanKind.SWITCH
    backlog_limit: Whole = 0

    def to_domain(self) -> Plan:
        return Plan(
            stages=tuple(stage.to_domain() for stage in self.stages),
            operations=tuple(self.operations),
            lags={name: lag for name, lag in self.lags.items() if lag},
            start_at=self.start_at,
            windows=tuple(window.to_domain() for window in self.windows),
            two_person=self.two_person,
            barrier=self.barrier or usual_barrier(self.kind),
            kind=self.kind,
            backlog_limit=self.backlog_limit,
        )


def plan_document(plan: Plan) -> dict[str, Any]:
    """As it would be written: what says nothing is left out."""
    written = {
        "lags": dict(plan.lags),
        "start_at": plan.start_at.astimezone(UTC).isoformat() if plan.start_at else None,
        "windows": [window_document(window) for window in plan.windows],
        "two_person": plan.two_person,
        "barrier": None if plan.barrier is usual_barrier(plan.kind) else plan.barrier.value,
        "backlog_limit": plan.backlog_limit,
    }
    return {
        **({"kind": plan.kind.value} if plan.moves_data else {}),
        "stages": [_stage_document(stage) for stage in plan.stages],
        "operations": list(plan.operations),
        **{name: value for name, value in written.items() if value},
    }


def usual_barrier(kind: PlanKind) -> Barrier:
    """Where data move, two phases that do not follow each other must not be lived in at once."""
    return Barrier.BLOCK if kind is PlanKind.DATA else Barrier.WARN


def _stage_document(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = {
        **({"phase": stage.phase.value} if stage.phase else {}),
        "percent": share.to_percent(stage.share),
        "bake_seconds": _plain(stage.bake.total_seconds()),
        "approval": stage.approval,
    }
    if stage.min_samples is not None:
        document["min_samples"] = stage.min_samples
    if stage.prove:
        document["prove"] = True
    if stage.mode:
        document["mode"] = stage.mode.value
    if stage.shadow_share is not None:
        document["shadow_percent"] = share.to_percent(stage.shadow_share)
    if stage.notes:
        document["notes"] = stage.notes
    return document


def window_document(window: Window) -> dict[str, Any]:
    return {
        "days": [day.value for day in window.days],
        "opens": f"{window.opens:%H:%M}",
        "closes": f"{window.closes:%H:%M}",
        "zone": window.zone,
    }


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
