"""Is the demo's exit status the truth? Recorded runs, each with one thing wrong."""

from dataclasses import replace

import pytest

from web.cli.demo.faults import Kind
from web.cli.demo.judgement import complaints
from web.cli.demo.run import BASELINE, CANDIDATE, Event, Run, summary
from web.cli.demo.timeline import closing
from web.cli.demo.traffic import Call, Outcome

FAULT_AT, ROLLED_BACK_AT, LANDED_AT, END = 25.0, 29.0, 30.0, 60.0


def call(at: float, backend: str = BASELINE, outcome: Outcome = Outcome.OK, seconds: float = 0.001) -> Call:
    return Call(at=at, seconds=seconds, operation="echo", session="session-1", backend=backend, outcome=outcome)


def entered(at: float, percent: float) -> Event:
    return Event(at, "rollout:advance" if percent > 1 else "rollout:start", "scheduler", "has baked", percent)


ROLLBACK = Event(ROLLED_BACK_AT, "rollout:roll_back", "scheduler", "30 % of calls fail, 1 in 9 000", 0)
STAGES = (entered(1, 1), entered(8, 10), entered(16, 50))


def calls_until(landed: float, *, hurt_from: float = END) -> tuple[Call, ...]:
    """Twenty a second; every other one goes to the candidate until `landed`."""
    times = [number / 20 for number in range(int(END * 20))]
    return tuple(
        call(at, CANDIDATE, Outcome.BACKEND_FAILED if at >= hurt_from else Outcome.OK)
        if number % 2 and at <= landed
        else call(at)
        for number, at in enumerate(times)
    )


def rolled_back() -> Run:
    calls = calls_until(LANDED_AT, hurt_from=FAULT_AT)
    return Run(Kind.ERRORS, FAULT_AT, calls, (*STAGES, ROLLBACK), "rolled_back")


def completed() -> Run:
    calls = tuple(replace(each, backend=CANDIDATE) if each.at > 30 else each for each in calls_until(END))
    done = Event(40, "rollout:complete", "scheduler", "the last stage has baked")
    return Run(Kind.NONE, None, calls, (*STAGES, entered(24, 98), done), "completed")


def test_a_rollback_that_came_by_itself_and_landed_is_as_it_should_be():
    assert complaints(rolled_back()) == []


def test_a_rollout_that_completed_is_as_it_should_be():
    assert complaints(completed()) == []
    last = replace(completed(), events=(*STAGES, entered(24, 100)))
    assert complaints(last) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"calls": calls_until(LANDED_AT)[:499]}, "only 499 calls were made"),
        ({"calls": (*rolled_back().calls, call(END, outcome=Outcome.THROWBAR_FAILED))}, "because of Throwbar"),
        ({"calls": (*rolled_back().calls, call(END, outcome=Outcome.BACKEND_FAILED))}, "failed on the baseline"),
        ({"internal_errors": 1}, "errors of its own"),
        ({"events": STAGES}, "the scheduler did not roll back"),
        ({"events": (*STAGES, replace(ROLLBACK, actor="person"))}, "the scheduler did not roll back"),
        ({"events": (*STAGES, replace(ROLLBACK, at=FAULT_AT - 1))}, "before anything was wrong"),
        ({"events": (*STAGES[:2], ROLLBACK)}, "the stages entered were 1 % → 10 %"),
        ({"state": "running"}, "the rollout is running, not rolled_back"),
        ({"fault_at": None}, "the fault was never injected"),
        ({"calls": calls_until(LANDED_AT)}, "the fault hurt no call"),
        ({"calls": calls_until(END, hurt_from=FAULT_AT)}, "did not go to the baseline"),
        ({"calls": (*rolled_back().calls, call(END, CANDIDATE))}, "1 of the last 240 calls did not go to the baseline"),
    ],
)
def test_one_thing_wrong_with_a_rollback_is_one_sentence(wrong, sentence):
    run = replace(rolled_back(), **wrong)

    assert [sentence in each for each in complaints(run)].count(True) == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"events": (*completed().events, ROLLBACK)}, "a sound candidate was rolled back"),
        ({"state": "running"}, "the rollout is running, not completed"),
        ({"events": STAGES}, "the last stage was not entered"),
        ({"events": (*STAGES, entered(24, 60))}, "the last stage was not entered"),
        ({"calls": calls_until(0)}, "of the last 240 calls went to the candidate"),
        ({"calls": (*completed().calls, call(END, CANDIDATE, Outcome.BACKEND_FAILED))}, "failed on the candidate"),
    ],
)
def test_one_thing_wrong_with_a_rollout_is_one_sentence(wrong, sentence):
    run = replace(completed(), **wrong)

    assert [sentence in each for each in complaints(run)] == [True]


def test_the_reaction_is_counted_from_the_first_call_that_was_hurt():
    run = rolled_back()

    assert run.first_harm_at == pytest.approx(FAULT_AT + 0.05)
    assert run.reaction == pytest.approx(LANDED_AT - FAULT_AT - 0.1)


def test_a_slow_call_is_a_hurt_one_when_the_fault_is_latency():
    slow = call(FAULT_AT + 1, CANDIDATE, seconds=0.05)
    run = replace(rolled_back(), fault=Kind.LATENCY, calls=(call(1), call(FAULT_AT, CANDIDATE), slow))

    assert run.first_harm_at == slow.at


def test_the_summary_holds_what_the_verdict_was_made_of():
    told = summary(rolled_back(), [])

    assert told["ok"] is True
    assert told["shares_entered"] == [1, 10, 50]
    assert told["failed"] == {BASELINE: 0, CANDIDATE: 50, "rescued": 0, "throwbar": 0}
    assert told["last_fifth_on_baseline"] == told["last_fifth"] == 240


def test_the_closing_words_name_each_complaint():
    assert "by itself" in closing(rolled_back(), [])
    assert "no rollback" in closing(completed(), [])
    assert closing(completed(), ["first", "second"]).splitlines()[1:] == ["  - first", "  - second"]
