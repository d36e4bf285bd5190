"""One demo run from beginning to end: the rollout, the fault, and what the control plane does about it."""

import time
from collections.abc import Callable
from datetime import datetime

from controlplane.clock import utc_now
from web.cli.demo import timeline
from web.cli.demo.bridge import FLAG
from web.cli.demo.events import event_from, health_event
from web.cli.demo.faults import FAULTS, Kind, inject
from web.cli.demo.run import CANDIDATE, COMPLETE, Event, Run
from web.cli.demo.scene import Scene
from web.cli.demo.tempo import FAULT_STAGE, Tempo

PROLOGUE = 1.0  # seconds of traffic before the rollout starts
LOOK = 0.25  # seconds between two looks at the control plane
ENOUGH = 0.25  # of all calls began after the rollback had landed: a fifth is looked at, and some are still under way

Tell = Callable[[str], None]


class Story:
    """Starts the rollout, watches it, injects the fault when its stage has come, and knows when all is told."""

    def __init__(
        self, scene: Scene, tempo: Tempo, fault: Kind, tell: Tell, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._scene = scene
        self._tempo = tempo
        self._fault = fault
        self._tell = tell
        self._sleep = sleep
        self._fault_at: float | None = None
        self._events: list[Event] = []
        self._known: set[int] = set()
        self._percent = 0.0
        self._verdict = ""
        self._began_at: datetime = utc_now()

    def play(self) -> Run:
        """Until the rollback has landed and a fifth of all calls came after it, or the rollout is complete."""
        self._began_at = utc_now()
        self._scene.traffic.start()
        self._tell(timeline.HEADING)
        self._sleep(PROLOGUE)
        self._scene.control.start(FLAG, reason="move the bridge to snakepit")
        while not self._is_told() and self._scene.traffic.now < self._tempo.limit:
            self._sleep(LOOK)
            self._read_audit()
            self._watch_health()
            self._inject_when_due()
        return self._run()

    def _read_audit(self) -> None:
        for entry in self._scene.control.audit(FLAG):
            if entry["id"] not in self._known:
                self._known.add(entry["id"])
                self._happened(event_from(entry, self._began_at))

    def _happened(self, event: Event) -> None:
        since = self._events[-1].at if self._events else 0.0
        self._events.append(event)
        self._percent = self._percent if event.percent is None else event.percent
        calls = [call for call in self._scene.traffic.calls() if since <= call.at < event.at]
        self._tell(timeline.row(event, self._percent, calls))

    def _inject_when_due(self) -> None:
        entered = next((event.at for event in self._events if event.percent == FAULT_STAGE), None)
        if self._fault is Kind.NONE or self._fault_at is not None or entered is None:
            return
        if self._scene.traffic.now < entered + self._tempo.fault_after:
            return
        inject(self._scene.fault_file, FAULTS[self._fault])
        self._fault_at = self._scene.traffic.now
        self._happened(Event(self._fault_at, f"fault:{self._fault}", "demo", f"{CANDIDATE} goes bad"))

    def _watch_health(self) -> None:
        event = health_event(self._scene.control.health(FLAG), self._scene.traffic.now)
        if event and event.action != self._verdict:
            self._verdict = event.action
            self._tell(timeline.row(event, self._percent, ()))

    def _is_told(self) -> bool:
        now, traffic = self._scene.traffic.now, self._scene.traffic
        if any(event.is_automatic_rollback for event in self._events):
            landed, calls = traffic.last_at(CANDIDATE), traffic.calls()
            after = sum(call.at > landed for call in calls)
            return now > landed + self._tempo.afterwards and after >= ENOUGH * len(calls)
        completed = next((event.at for event in self._events if event.action == COMPLETE), None)
        return self._fault is Kind.NONE and completed is not None and now > completed + self._tempo.afterwards

    def _run(self) -> Run:
        return Run(
            fault=self._fault,
            fault_at=self._fault_at,
            calls=self._scene.traffic.calls(),
            events=tuple(self._events),
            state=self._scene.control.flag(FLAG)["rollout"]["state"],
            internal_errors=self._scene.client.status().internal_errors,
        )
