"""Random faults through every path of a call, as users make it: nothing is done twice, and nobody is told a lie.

Retries, pauses, breakers, budgets, deadlines, fallbacks, second writes, shadows and cancellation, all at once.
The long run: `make soak`.
"""

import asyncio
import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import throwbar
from tests.sdk import call_faults as faults
from tests.sdk.call_faults import FAULTS, IDEMPOTENT, NAMES, READ, ROUTES, WRITE, Declared, Route, Schedule, Step
from tests.sdk.faulty_world import MS, World

SCHEDULES = 1_000_000 if os.environ.get("LONG_TESTS") else 10_000
PARTS = 4  # for a machine that is busy: none takes long

NOT_SENT = {FAULTS[name] for name in ("refused", "no such host", "no backend")}
PATHS = {
    *("answered by new", "answered by old", "0 attempts", "1 attempts", "2 attempts", "3 attempts"),
    *("OutcomeUnknown", "DeadlineExceeded", "CancelledError", "no money for the baseline", "diverged"),
    *("ConnectionRefusedError", "ConnectionResetError", "TimeoutError", "ValueError", "NoSuchOrder", "Told"),
}


@pytest.fixture(params=["plain", "coroutine"])
def world(request, monkeypatch):
    world = World(monkeypatch, asynchronous=request.param == "coroutine")
    world.serve()
    yield world
    world.close()


def play(world, schedule, told=None):
    """One life of an operation, each call of which is judged."""
    _, binding = world.operation(schedule.route, schedule.declared)
    binding.renew()
    for guard in binding.guards:
        guard.retries._saved = guard.fallbacks._saved = schedule.purse
    world.chance.seed(schedule.seed)
    world.faults, world.pauses, world.interrupted_pause = iter(schedule.faults), 0, schedule.interrupted_pause
    for step in schedule.steps:
        denied, began = binding.guards[0].fallbacks.denied, world.clock.now
        outcome = world.call(schedule, step)
        short = binding.guards[0].fallbacks.denied > denied
        late = world.clock.now - began >= shortest(schedule.declared.deadline, step.time_left)
        judge(world, schedule, outcome, excused=short or late)
        if told is not None:
            told.update(words_for(world, outcome))
            told["no money for the baseline"] += short
        world.clock.now += step.pause * MS
    assert world.client.status().internal_errors == 0


def shortest(*limits):
    return min((limit for limit in limits if limit is not None), default=float("inf")) * 1e9


def judge(world, schedule, outcome, *, excused):
    """Hold what the caller was told against what was done."""
    declared, done, error = schedule.declared, world.done, outcome.error
    tried = [backend for backend, _ in world.attempts]
    second = schedule.route.mode == "dual_write" and declared.kind is not READ
    assert tried.count("old") <= 1
    assert tried.count("new") <= 3 + second
    assert schedule.route.breaker != "forced_open" or "new" not in tried
    if outcome.answer is not None:
        assert done[faults.store_of(outcome.answer, declared)] >= 1, "said to be done, and was not"
    if declared.kind is READ:
        judge_read(world, schedule, outcome, excused=excused)
    else:
        assert not world.shadow_calls[declared.kind]
        assert (max if second else sum)([0, *done.values()]) <= 1, "done twice"
        judge_error_of_write(world, schedule, outcome, excused=excused)
    if second and not isinstance(error, ValueError):  # whose meaning only the backend's author knows
        assert done["old"] == done["new"] or world.divergences, "the stores differ, and nobody was told"


def judge_read(world, schedule, outcome, *, excused):
    error, attempts = outcome.error, world.attempts
    assert not isinstance(error, throwbar.OutcomeUnknown)
    if error is None or outcome.gave_up or cancelled(error) or isinstance(error, faults.NoSuchOrder):
        return
    if attempts and attempts[-1][0] == "old":
        assert attempts[-1][1].error is not None or excused, "the baseline answered, and the caller did not get it"
    else:
        refused = attempts and attempts[-1][1] is FAULTS["invalid"]
        assert refused or excused or not schedule.declared.fallback, "the baseline was not asked"


def judge_error_of_write(world, schedule, outcome, *, excused):
    error = outcome.error
    if isinstance(error, throwbar.DeadlineExceeded):
        assert not world.attempts
    if error is None or outcome.gave_up or cancelled(error) or isinstance(error, faults.NoSuchOrder):
        return
    candidate = [fault for backend, fault in world.attempts if backend == "new"]
    fell_back = len(candidate) < len(world.attempts)  # and so there is no answer of the candidate's to go by
    lost = any(fault.proves_nothing and (fell_back or fault.error is not ValueError) for fault in candidate)
    assert isinstance(error, throwbar.OutcomeUnknown) is lost, "nobody knows, or somebody does"
    nothing_sent = not fell_back and set(candidate) <= NOT_SENT
    assert not nothing_sent or excused or not schedule.declared.fallback, "the baseline could have done it"


def cancelled(error):
    return isinstance(error, asyncio.CancelledError | KeyboardInterrupt)


def words_for(world, outcome):
    """What a call was an example of."""
    tried, error = [backend for backend, _ in world.attempts], outcome.error
    yield f"answered by {outcome.answer}" if error is None else type(error).__name__
    yield "calls"
    yield f"{tried.count('new')} attempts"
    if outcome.gave_up:
        yield "gave up"
    if world.divergences:
        yield "diverged"


def a_schedule(chance):
    """Any life, with bad and good times."""
    route = chance.choice(ROUTES)
    possible = [declared for declared in faults.DECLARATIONS if not (declared.shared_keys and route.mode != "single")]
    bad = chance.choice([0.1, 0.4, 0.9])
    return Schedule(
        chance.randrange(1 << 32),
        route,
        chance.choice(possible),
        chance.choice([0.0, 1.0, 10.0]),
        chance.choice([0, 0, 1, 3]),
        tuple(a_step(chance) for _ in range(chance.choice([1, 2, 4, 8]))),
        tuple(chance.choice(NAMES) if chance.random() < bad else "none" for _ in range(30)),
    )


def a_step(chance):
    pause = chance.choice([0, 1, 50, 400, 1_500])
    if chance.random() < 0.8:
        return Step(pause)
    return Step(pause, *chance.choice([(0.05, None), (0.4, None), (2.0, None), (None, 0.0), (None, 0.1), (None, 0.9)]))


STEPS = st.builds(
    Step,
    st.sampled_from([0, 50, 1_500]),
    st.none() | st.sampled_from([0.05, 0.4]),
    st.none() | st.sampled_from([0.0, 0.1, 0.9]),
)
LIVES = st.builds(
    Schedule,
    st.integers(0, 9),
    st.sampled_from(ROUTES),
    st.sampled_from(faults.DECLARATIONS).filter(lambda declared: not declared.shared_keys),
    st.sampled_from([0.0, 1.0, 10.0]),
    st.sampled_from([0, 1]),
    st.lists(STEPS, min_size=1, max_size=8).map(tuple),
    st.lists(st.sampled_from(NAMES), max_size=20).map(tuple),
)


@given(LIVES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=SCHEDULES // 100)
@pytest.mark.soak
def test_no_schedule_of_faults_does_a_write_twice(world, life):
    play(world, life)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_row_22_ten_thousand_lives_do_no_write_twice_and_leave_no_path_untried(world, part):
    chance, told = random.Random(part), Counter()
    for number in range(SCHEDULES // PARTS):
        schedule = a_schedule(chance)
        try:
            play(world, schedule, told)
        except AssertionError as failed:
            failed.add_note(f"life {number}: {schedule}; at last: {world.attempts}")
            raise
        if number % 100 == 0:
            world.report()
    world.report()

    assert told.keys() >= PATHS, "a path was not tried"
    assert world.reported["share"] + world.reported["probe"] == told["calls"]
    assert world.reported["unknown"] == told["OutcomeUnknown"]
    assert world.reported["dropped"] == 0
    assert min(world.reported[word] for word in ("breaker", "probe", "fallback", "retries", "shadow")) > 100 // PARTS


def one_call(world, declared, *names, route=Route()):  # noqa: B008 - immutable
    """What a single call comes to whose attempts meet these faults."""
    schedule = Schedule(0, route, declared, 10.0, 0, (Step(),), names)
    _, binding = world.operation(route, declared)
    binding.renew()
    world.faults = iter(names)
    outcome = world.call(schedule, Step())
    judge(world, schedule, outcome, excused=False)
    return outcome, "".join(backend[0] for backend, _ in world.attempts)


def test_a_write_with_a_lost_reply_runs_once_and_the_caller_is_told(world):
    outcome, tried = one_call(world, Declared(WRITE), "reply lost", "none")

    assert isinstance(outcome.error, throwbar.OutcomeUnknown)
    assert (tried, world.done) == ("n", {"new": 1})


def test_a_write_that_was_refused_is_done_by_the_baseline(world):
    outcome, tried = one_call(world, Declared(WRITE), "refused", "no backend", "none")

    assert (outcome.answer, tried) == ("old", "nno")


def test_what_a_retry_could_not_send_may_still_have_been_done_before(world):
    outcome, tried = one_call(world, Declared(IDEMPOTENT), "reply lost", "refused", "refused", "none")

    assert isinstance(outcome.error, throwbar.OutcomeUnknown)
    assert tried == "nnn"


def test_what_the_fallback_could_not_send_may_still_have_been_done_before(world):
    faults_of_both = ("reply lost", "no backend", "refused")
    outcome, tried = one_call(world, Declared(IDEMPOTENT, shared_keys=True), *faults_of_both)

    assert isinstance(outcome.error, throwbar.OutcomeUnknown)
    assert (outcome.error.receipt.backend, tried) == ("new", "nno")


def test_a_lost_half_of_a_dual_write_is_a_divergence_also_when_a_later_attempt_was_refused(world):
    route = Route("dual_write")
    outcome, tried = one_call(world, Declared(IDEMPOTENT, fallback=False), "hung up", "no backend", route=route)

    assert isinstance(outcome.error, throwbar.OutcomeUnknown)
    assert tried == "nn"
    assert [(seen.done_at, seen.missing_at, seen.first_unknown) for seen in world.divergences] == [("new", "old", True)]
