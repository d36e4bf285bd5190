"""The promises of the health decision, in a small seeded form; `make bench ARGS=health` has the whole one."""

from dataclasses import replace
from functools import partial
from random import Random

import pytest

from bench.health import (
    delays,
    disturbances,
    false_rollbacks,
    prechecks,
    recurring,
    rollouts,
    sample_ratio,
    slowness,
    together,
    whole,
)
from bench.health.goals import chance_of_as_many, delays_shown, holds, median
from bench.health.latencies import BASELINE, Speed
from bench.health.ours import BY_CALL, STRICT, Policy
from bench.health.spread import runs
from bench.health.traffic import Cell, Incident, StaleShare, Steady
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.forecast import Traffic, forecast
from controlplane.domain.rollout import Step
from controlplane.domain.share import FULL

CELL = Cell(100, 0.1)


def false_alarms(policy, cell, rate, *, number=200, checks=250):
    course = Steady(cell, rate, policy.edge(rate))
    found = runs(partial(false_rollbacks.alarms, policy, course, checks), number, f"test/{cell}")
    return [sum(each[place] is not None for each in found) for place in range(2)]


def delay_of(rule, course, number=60, checks=600):
    return median(runs(partial(delays.delay, rule, course, checks), number, f"test/{course}"))


@pytest.mark.parametrize(
    ("policy", "cell", "rate"),
    [(STRICT, CELL, 0.01), (BY_CALL, Cell(100, 0.5), 0.001)],
    ids=["no tolerance", "exactly at the tolerance"],
)
def test_a_harmless_candidate_is_rolled_back_no_more_often_than_promised(policy, cell, rate):
    at_five_percent, at_one_percent = false_alarms(policy, cell, rate)

    assert holds(at_five_percent, 200, 0.05)
    assert holds(at_one_percent, 200, 0.01)


def test_a_kernel_that_bets_too_much_would_be_found_out():
    _, at_one_percent = false_alarms(Policy(1.0, 0.0, design_effect=0.25), CELL, 0.01)

    assert not holds(at_one_percent, 200, 0.01)


def test_a_peeking_test_is_found_out():
    job = partial(false_rollbacks.rolled_back_by, "z-test at each check", Steady(CELL, 0.01, 0.01), 250)

    assert not holds(sum(runs(job, 100, "test/peeking")), 100, 0.01)


@pytest.mark.parametrize("before", [0.01, 0.005])
def test_a_doubling_is_found_in_at_most_1_7_times_the_delay_of_who_knows_the_rates(before):
    course = Steady(CELL, before, 2 * before)

    assert delay_of(delays.OURS, course) <= 1.7 * delay_of(delays.ORACLE, course)


def test_a_late_regression_is_found_sooner_than_by_rules_that_hold_their_error_probability():
    course = Steady(CELL, 0.01, 0.02, onset=300)
    ours = delay_of(delays.OURS, course, number=30)

    assert ours <= 2.2 * delay_of(delays.OURS, Steady(CELL, 0.01, 0.02))
    assert 1.5 * ours <= delay_of(delays.CONFIDENCE, course, number=30)


@pytest.mark.parametrize("rule", [delays.OURS, delays.DEFAULT_OURS])
def test_an_outage_at_100_calls_a_second_is_found_in_one_check(rule):
    assert delay_of(rule, Steady(CELL, 0.01, 1.0), number=30) == 1


@pytest.mark.parametrize(
    "course", [Incident(CELL, begins=20), StaleShare(begins=20)], ids=lambda each: type(each).__name__
)
def test_what_hits_both_sides_rolls_nothing_back(course):
    found = runs(partial(whole.first_rollback, course=course, checks=80, guardrails=whole.STRICT), 15, "test/incident")

    assert found == [None] * 15


def test_who_pools_the_shares_of_a_stale_fleet_is_fooled():
    job = partial(disturbances.rival_rolled_back, "z-test at each check", StaleShare(pooled=True, begins=20), 80)

    assert all(runs(job, 5, "test/stale"))


def test_broken_keys_that_count_once_condemn_nobody():
    broken = disturbances.Broken(CELL, once=True)
    policy = Policy(1.0, 0.0, DESIGN_EFFECT)

    hits = sum(runs(partial(disturbances.burst_alarm, broken, policy, 200), 60, "test/broken"))

    assert holds(hits, 60, 0.01)


def test_a_general_slowness_is_found_twice_as_soon_as_by_a_sequence_for_the_p99():
    slower, cell = Speed(all=1.5), Cell(100, 0.01)
    ours = median(runs(partial(slowness.alarm, slowness.STRICT, slower, cell, 300), 8, "test/slower"))
    theirs = median(runs(partial(slowness.sequence_alarm, slower, cell, 300), 8, "test/slower"))

    assert 2 * ours <= theirs


def test_a_candidate_as_slow_as_tolerated_is_left_alone():
    job = partial(slowness.alarm, slowness.BY_CALL, slowness.AT_EDGE, CELL, 120)

    assert runs(job, 12, "test/edge") == [None] * 12


def test_a_healthy_rollout_comes_through_its_stages():
    ends = runs(partial(rollouts.staged, 100, (0.01, 0.01), 1.0), 4, "test/staged")

    assert {end.step for end in ends} == {Step.COMPLETE}
    assert all(240 <= end.checks <= 300 for end in ends)


def test_a_forecast_is_about_right():
    seen = forecast(Traffic(100, 0.01), FULL // 10, whole.DEFAULT.compare, times=3.0, design_effect=1.0)
    job = partial(rollouts.delay, (0.01, 0.03), BASELINE, 1.0, 300)

    assert seen.median_seconds / 10 == pytest.approx(median(runs(job, 30, "test/forecast")), rel=0.4)


def test_a_missing_fifth_of_the_keys_is_found_and_a_fair_split_is_not_doubted():
    missing = runs(partial(sample_ratio.alarm, CELL, 0.8, 200), 30, "test/missing")
    fair = runs(partial(sample_ratio.alarm, CELL, 1.0, 200), 60, "test/fair")

    assert median(missing) <= 10
    assert holds(sum(each is not None for each in fair), 60, 0.001)


TOGETHER = {
    "broken keys": together.WORLDS[0],
    "many failures": together.WORLDS[3],
    "one loud broken key": together.WORLDS[4],
    "incidents of both": together.WORLDS[5],
}


@pytest.mark.parametrize("name", TOGETHER)
def test_with_every_rule_on_and_real_breakers_backends_that_are_the_same_are_left_alone(name):
    found = runs(partial(together.rolled_back, TOGETHER[name], 40), 25, f"test/together/{name}")

    assert holds(sum(each is not None for each in found), 25, 0.01)


def test_were_every_key_that_is_turned_away_bad_one_loud_key_would_condemn_a_candidate():
    trusting = replace(TOGETHER["one loud broken key"], trusting=True)

    assert not holds(sum(map(bool, runs(partial(together.rolled_back, trusting, 40), 8, "test/trusting"))), 8, 0.01)


@pytest.mark.parametrize(("processes", "seen"), [(1, 6), (10, 1)])
def test_a_candidate_that_dies_behind_real_breakers_is_found_by_one_rule_or_another(processes, seen):
    world = together.World("dead", dead=10, processes=processes, calls=100)

    found = runs(partial(together.rolled_back, world, 30), 6, "test/dead")

    assert all(each and 10 <= each[0] < 10 + seen for each in found)


def test_runs_are_the_same_each_time():
    job = partial(delays.delay, delays.OURS, Steady(CELL, 0.01, 0.02), 300)

    assert runs(job, 5, "test/again") == runs(job, 5, "test/again")


def test_many_hits_are_too_many_and_few_are_not():
    assert holds(3, 200, 0.01)
    assert not holds(9, 200, 0.01)
    assert chance_of_as_many(0, 200, 0.01) == 1.0


def test_a_run_that_found_nothing_counts_as_endless():
    assert delays_shown([3, None, 1, 2]) == "2 / – (75 %)"
    assert delays_shown([None, None]) == "never"
    assert median([1, 2, None]) == 2


def test_counts_have_the_mean_they_are_drawn_with():
    random = Random("means")
    drawn = [sum(disturbances.poisson(random, mean) for _ in range(4000)) / 4000 for mean in (0.3, 90.0)]

    assert drawn == [pytest.approx(0.3, abs=0.04), pytest.approx(90, abs=0.8)]


def test_a_candidate_that_dies_when_nearly_every_key_has_failed_before_is_found():
    assert recurring.delay(recurring.FAULTS[0], 500, Random(1)) <= 2


@pytest.mark.parametrize("mean", [1.0, 2.0])
def test_two_hours_of_the_baseline_show_by_how_many_processes_a_failing_key_is_counted(mean):
    seen = runs(partial(prechecks.look, 100, mean), 20, f"test/precheck/{mean}")

    assert all(1.5 * each.phi >= prechecks.truth(mean) for each in seen)
    assert sorted(each.phi for each in seen)[10] <= 1.2 * prechecks.truth(mean)
    assert not any(each.alarms for each in seen)
