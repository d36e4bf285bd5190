"""Whatever befalls a fleet, a rollout does the right thing: through the real doors, on the real database, by the clock."""

import math

import pytest
from freezegun import freeze_time

from tests.builders import a_flag_document, a_plan_document
from tests.stories.fleet import Fleet, Post, Weather
from tests.stories.world import a_world
from tests.web.edge.plane import wait_until

FLAG = "/flags/dspex-bridge"
INCIDENT = range(8, 20)  # buckets in which both sides fail


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        plan = a_plan_document(10, 50, 98, bake_seconds=120)
        limits = {"min_samples": 100, "max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}}
        document = a_flag_document(operations={"echo": {}}, plan=plan, guardrails=limits)
        assert living.api("POST", "/flags", document)[0] == 201
        assert living.api("POST", f"{FLAG}/rollout/start", {"reason": "now"})[0] == 200
        yield living


@pytest.fixture
def state(world):
    return lambda: world.flag()["rollout"]["state"]


def actions(world):
    status, answer = world.api("GET", f"{FLAG}/history?limit=200")
    assert status == 200
    return [entry["action"] for entry in reversed(answer["items"])]


def health(world):
    status, answer = world.api("GET", f"{FLAG}/health")
    assert status == 200
    return answer


def calm(_number):
    return Weather()


def diurnal(number):
    """A day in forty buckets: six times the calls at noon, and ever more of them fail when there are many."""
    noon = (1 - math.cos(2 * math.pi * number / 40)) / 2
    rate = 0.005 + 0.025 * noon
    return Weather(keys=int(600 + 3000 * noon), baseline=rate, candidate=rate)


def drifting(number):
    """The later the stage, the worse the day, for both: pooled over stages it would be the candidate's fault."""
    rate = min(0.04, 0.002 * 1.12**number)
    return Weather(baseline=rate, candidate=rate)


def incident(number):
    rate = 0.3 if number in INCIDENT else 0.01
    return Weather(baseline=rate, candidate=rate)


def bursts(_number):
    return Weather(burst=2)


@pytest.mark.parametrize(
    ("weather", "fleet"),
    [
        pytest.param(calm, {}, id="an ordinary day"),
        pytest.param(diurnal, {}, id="diurnal load"),
        pytest.param(drifting, {}, id="staggered stages in a drifting day"),
        pytest.param(drifting, {"stale": 2}, id="instances that stay at an old share in a drifting day"),
        pytest.param(calm, {"post": Post(copies=2)}, id="every report twice"),
        pytest.param(calm, {"post": Post(lost=0.1)}, id="a tenth of the reports lost"),
        pytest.param(bursts, {"processes": 4}, id="failing keys that two processes count"),
        pytest.param(incident, {"post": Post(candidate_late=1)}, id="one arm late by a bucket, in a shared incident"),
    ],
)
def test_a_candidate_that_is_no_worse_is_rolled_out(world, state, weather, fleet):
    living = Fleet(world, **fleet)

    assert living.until(lambda: state() == "completed", weather, most=140)

    assert actions(world).count("rollout:advance") == 2
    assert "rollout:roll_back" not in actions(world)


def test_an_incident_that_hits_both_sides_holds_the_rollout_tells_it_once_and_lets_it_go_on(world, state):
    living = Fleet(world)
    held = []
    for number in range(INCIDENT.stop):
        living.live(incident(number))
        held.append(health(world)["step"] == "hold")

    during = health(world)
    assert state() == "running"
    assert any(held[INCIDENT.start :])
    assert "going back would not help" in during["operations"]["echo"]["waiting_for"]
    assert actions(world).count("rollout:hold") == 1
    assert living.until(lambda: state() == "completed", calm, most=140)
    assert "rollout:roll_back" not in actions(world)


def test_what_arrives_twice_counts_once(world):
    once, twice = Fleet(world, 1, seed=5), Fleet(world, 1, seed=5, post=Post(copies=2))
    twice.processes[0].name = "i-9"
    for number in range(3):
        (once if number % 2 else twice).live(Weather(candidate=0.03))

    series = health(world)["series"]
    counted = sum(sum(series[side]["calls"]) for side in ("baseline", "candidate"))

    assert counted == 3 * Weather().keys


def test_an_arm_that_is_late_beyond_the_seal_in_a_shared_incident_condemns_nobody(world, state):
    living = Fleet(world, post=Post(candidate_late=6))

    for number in range(40):
        living.live(incident(number))

    assert "rollout:roll_back" not in actions(world)
    assert state() == "running"
    assert "rollout:advance" not in actions(world)  # nor does one side alone let it go on
    assert "one side's calls are not reported" in health(world)["operations"]["echo"]["waiting_for"]


@pytest.mark.parametrize(
    ("weather", "guardrail"),
    [
        pytest.param(Weather(candidate=0.6), "errors", id="failing"),
        pytest.param(Weather(hangs=0.8), "", id="hanging"),
    ],
)
def test_a_candidate_that_fails_or_hangs_is_taken_back_and_every_process_obeys(world, state, weather, guardrail):
    living = Fleet(world)
    for _ in range(6):
        living.live(Weather())
    assert state() == "running"
    before = living.buckets

    assert living.until(lambda: state() == "rolled_back", lambda _: weather, most=12)
    assert living.buckets - before <= 4  # its bucket, the seal, and the look

    wait_until(lambda: living.shares() == {0})
    living.live(Weather())
    assert actions(world)[-1] == "rollout:roll_back"
    record = world.api("GET", f"{FLAG}/history?limit=1")[1]["items"][0]["record"]
    assert guardrail in record["rule"] or record["log_evidence"] > math.log(100)
    assert world.api("GET", f"{FLAG}/convergence")[1]["on_newest"] == 4


def test_a_fleet_that_falls_silent_neither_goes_on_nor_back(world, state):
    living = Fleet(world)
    living.live(Weather())
    living.post = Post(lost=1.0)

    for _ in range(30):
        living.live(Weather())

    assert state() == "running"
    assert not {"rollout:advance", "rollout:roll_back"} & set(actions(world))
    assert "the last report is" in health(world)["waiting_for"]
