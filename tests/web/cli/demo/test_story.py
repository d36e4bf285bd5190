"""Does the story do its part at the right moments, and end when all is told? A scripted control plane, a fake clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from freezegun import freeze_time

from web.cli.demo.faults import FAULTS, FaultFile, Kind
from web.cli.demo.judgement import complaints
from web.cli.demo.run import BASELINE, CANDIDATE
from web.cli.demo.scene import Scene
from web.cli.demo.story import Story
from web.cli.demo.tempo import HEADLESS
from web.cli.demo.traffic import Call, Outcome

BEGAN_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BAKED, UNHEALTHY = "has baked and is healthy", "41 % of calls fail"


@dataclass
class World:
    """Twenty calls a second; the plan advances every ten seconds; a fault is seen four seconds after it began."""

    fault_file: Path
    now: float = 0.0
    made: list[Call] = field(default_factory=list)
    entries: list[dict[str, object]] = field(default_factory=list)
    percent: float = 0.0
    state: str = "running"
    fault_seen_at: float | None = None
    blind: bool = False

    def start(self) -> None:
        self.now = 0.0

    def calls(self) -> tuple[Call, ...]:
        return tuple(self.made)

    def last_at(self, backend: str) -> float:
        return max((call.at for call in self.made if call.backend == backend), default=0.0)

    def sleep(self, seconds: float) -> None:
        """Time passes: calls are made, and the control plane acts."""
        for _ in range(round(seconds * 20)):
            self.now += 1 / 20
            self._make_call()
            self._tick()

    def _make_call(self) -> None:
        number = len(self.made)
        to_candidate = number % 2 == 1 and self.percent >= 50
        bad = to_candidate and FaultFile(self.fault_file).current().kind is not Kind.NONE
        outcome = Outcome.BACKEND_FAILED if bad else Outcome.OK
        self.made.append(Call(self.now, 0.001, "echo", "s", CANDIDATE if to_candidate else BASELINE, outcome))
        if bad and self.fault_seen_at is None:
            self.fault_seen_at = self.now

    def _tick(self) -> None:
        if self.state != "running" or not self.entries:
            return
        seen = self.fault_seen_at
        if seen is not None and self.now > seen + 4 and not self.blind:
            self.state = "rolled_back"
            self._enter("rollout:roll_back", 0, UNHEALTHY)
        elif self.now > 10 * len(self.entries) and self.percent < 98:
            self._enter("rollout:advance", {1: 10, 10: 50, 50: 98}[self.percent], BAKED)
        elif self.now > 50:
            self.state = "completed"
            self._note("rollout:complete", [], BAKED)

    def _enter(self, action: str, percent: float, reason: str) -> None:
        change = {"path": "operations.echo.percent", "from": self.percent, "to": percent}
        self.percent = percent
        self._note(action, [change], reason)

    def _note(self, action: str, changes: list[dict[str, object]], reason: str) -> None:
        at = (BEGAN_AT + timedelta(seconds=self.now)).isoformat()
        actor = {"kind": "scheduler", "name": "scheduler"}
        number = len(self.entries) + 1
        self.entries.append(
            {"id": number, "at": at, "actor": actor, "action": action, "reason": reason, "changes": changes}
        )

    def _health(self) -> dict[str, object]:
        verdict = "unhealthy" if self.state == "rolled_back" else "healthy"
        finding = {"verdict": verdict, "sentence": f"echo is {verdict}"}
        return {"verdict": verdict, "operations": {"echo": {"findings": [finding]}}}

    def control(self) -> SimpleNamespace:
        return SimpleNamespace(
            start=lambda flag, reason: self._enter("rollout:start", 1, reason),
            flag=lambda flag: {"rollout": {"state": self.state}},
            health=lambda flag: self._health(),
            audit=lambda flag: list(self.entries),
        )


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path / "fault.json")


@pytest.fixture
def play(world):
    scene = Scene(
        server=None,
        control=world.control(),
        client=SimpleNamespace(status=lambda: SimpleNamespace(internal_errors=0)),
        traffic=world,
        fault_file=world.fault_file,
    )
    told = []

    def play(fault: Kind):
        with freeze_time(BEGAN_AT):
            return Story(scene, HEADLESS, fault, told.append, sleep=world.sleep).play(), told

    return play


@pytest.mark.parametrize("fault", [Kind.ERRORS, Kind.CRASH])
def test_the_fault_comes_at_half_share_and_the_run_ends_a_fifth_after_the_rollback_landed(play, world, fault):
    run, told = play(fault)

    assert complaints(run) == []
    assert run.shares_entered == (1, 10, 50)
    assert FaultFile(world.fault_file).current() == FAULTS[fault]
    assert run.fault_at == pytest.approx(22.1, abs=0.3)
    assert run.rollback.at == pytest.approx(run.fault_at + 4, abs=0.3)
    assert run.calls[-1].at < HEADLESS.limit
    assert [f"fault:{fault}" in line for line in told].count(True) == 1


def test_without_a_fault_the_run_ends_after_completion(play, world):
    run, _ = play(Kind.NONE)

    assert run.state == "completed"
    assert run.shares_entered == (1, 10, 50, 98)
    assert run.fault_at is None
    assert not world.fault_file.exists()
    assert run.calls[-1].at == pytest.approx(50 + HEADLESS.afterwards, abs=0.5)


def test_a_control_plane_that_never_acts_is_given_up_at_the_limit_and_complained_about(play, world):
    world.blind = True

    run, _ = play(Kind.ERRORS)

    assert run.calls[-1].at == pytest.approx(HEADLESS.limit, abs=0.5)
    assert "the scheduler did not roll back" in complaints(run)


def test_the_timeline_tells_each_entry_once(play, world):
    _, told = play(Kind.ERRORS)

    assert [BAKED in line for line in told].count(True) == 2
    assert [UNHEALTHY in line for line in told].count(True) == 1
    assert ["health: unhealthy, echo is unhealthy" in line for line in told].count(True) == 1
