"""Do the control plane's answers become lines that a person can read?"""

from datetime import UTC, datetime

from web.cli.demo.events import event_from, health_event
from web.cli.demo.run import BASELINE, CANDIDATE, Event
from web.cli.demo.timeline import HEADING, row
from web.cli.demo.traffic import Call, Outcome

BEGAN_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def entry(action: str, changes: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": 3,
        "at": "2026-03-01T12:00:12.500000+00:00",
        "actor": {"kind": "scheduler", "name": "scheduler"},
        "action": action,
        "flag": "dspex-bridge",
        "reason": "stage 1 of 4 has baked and is healthy",
        "changes": changes,
        "version": 3,
        "record": {},
    }


def share(operation: str, before: float, after: float) -> dict[str, object]:
    return {"path": f"operations.{operation}.percent", "from": before, "to": after}


def test_an_advance_is_an_event_at_its_time_with_its_share():
    advance = entry(
        "rollout:advance",
        [share("echo", 1, 10), share("simple_predict", 1, 10), {"path": "rollout.stage", "from": 0, "to": 1}],
    )

    assert event_from(advance, BEGAN_AT) == Event(
        at=12.5,
        action="rollout:advance",
        actor="scheduler",
        sentence="stage 1 of 4 has baked and is healthy",
        percent=10,
    )


def test_only_the_schedulers_rollback_is_an_automatic_one():
    rollback = entry("rollout:roll_back", [share("echo", 50, 0)])
    by_hand = {**rollback, "actor": {"kind": "person", "name": "ada"}}

    assert event_from(rollback, BEGAN_AT).is_automatic_rollback
    assert not event_from(by_hand, BEGAN_AT).is_automatic_rollback
    assert event_from(rollback, BEGAN_AT).percent == 0


def test_an_entry_that_touches_no_share_has_none():
    assert event_from(entry("rollout:complete", [{"path": "rollout.state"}]), BEGAN_AT).percent is None


def test_a_verdict_is_told_with_the_sentence_of_a_finding_that_carries_it():
    health = {
        "verdict": "unhealthy",
        "operations": {
            "echo": {"findings": [{"verdict": "healthy", "sentence": "all is well"}]},
            "simple_predict": {"findings": [{"verdict": "unhealthy", "sentence": "30 % of calls fail"}]},
        },
    }

    assert health_event(health, 7.0) == Event(7.0, "unhealthy", "health", "30 % of calls fail")


def test_a_verdict_that_no_finding_carries_is_not_told():
    health = {"verdict": "inconclusive", "operations": {"echo": {"findings": []}}}

    assert health_event(health, 7.0) is None


def test_a_row_tells_time_share_what_both_sides_lived_through_and_why():
    calls = [
        Call(10.0, 0.002, "echo", "s", BASELINE, Outcome.OK),
        Call(10.1, 0.004, "echo", "s", CANDIDATE, Outcome.OK),
        Call(10.2, 0.004, "echo", "s", CANDIDATE, Outcome.BACKEND_FAILED, "OperationFailed: x"),
    ]
    event = Event(12.5, "rollout:roll_back", "scheduler", "too many fail", 0)

    line = row(event, 0, calls)

    assert [part.strip() for part in line.split("  ") if part.strip()] == [
        "12.5",
        "0 %",
        "0.0% of 1, 2.0 ms",
        "50.0% of 2, 4.0 ms",
        "scheduler: rollout:roll_back, too many fail",
    ]
    assert line.index("scheduler") == HEADING.index("what happened")
