"""The worked example, lived: 1 % → 10 % → 50 % → 100 % over weeks, then a breach, then the cool-down."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from freezegun import freeze_time

from tests.builders import a_flag_document, a_plan_document
from tests.stories.world import a_world, an_operation, heard

MONDAY = "2026-01-05 09:00:00"
SESSIONS = 600


@pytest.fixture
def world(migrated_url):
    with freeze_time(MONDAY, real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


def stages(world):
    return [entry["reason"].split(":")[0] for entry in history(world) if entry["action"] == "rollout:advance"]


def history(world):
    status, answer = world.api("GET", "/flags/dspex-bridge/history?limit=200")
    assert status == 200
    return list(reversed(answer["items"]))


def test_four_weeks_of_stages_then_a_breach_then_the_cool_down(world):
    document = a_flag_document(plan=a_plan_document(1, 10, 50, 100, bake_seconds=7 * 86_400))
    document["guardrails"]["min_samples"] = 50
    assert world.api("POST", "/flags", document)[0] == 201
    assert world.api("POST", "/flags/dspex-bridge/rollout/start", {"reason": "compatibility is tested"})[0] == 200

    with world.client() as client:
        echo = an_operation(world, client)
        predict = an_operation(world, client, "simple_predict")
        assert heard(client)
        shares = []
        for half_day in range(50):  # three weeks and a half
            for operation in (echo, predict):
                world.serve(operation, SESSIONS, first=half_day * SESSIONS)
            world.report_and_tick(client)
            shares.append(world.flag()["rollout"]["percent"])
            world.pass_by(timedelta(hours=12) - timedelta(seconds=40))

        assert stages(world) == ["1 % → 10 %", "10 % → 50 %", "50 % → 100 %"]
        assert Counter(shares) == {1: 14, 10: 14, 50: 14, 100: 8}
        assert world.seen["told"] == 0

        world.fails_of_ten = 3
        world.seen.clear()
        for operation in (echo, predict):
            world.serve(operation, SESSIONS, first=10**6)
        world.report_and_tick(client)

        flag = world.flag()
        assert flag["rollout"]["state"] == "rolled_back"
        assert flag["rollout"]["rolled_back"]
        assert flag["enabled"]
        assert {each["percent"] for each in flag["operations"].values()} == {0}
        assert world.broke == 360
        assert world.seen["python_pool_v2"] + world.seen["told"] == 360  # rescued, until the fallback's budget ended
        assert world.seen["python_pool_v2"] >= 200

        world.seen.clear()
        world.serve(echo, SESSIONS, first=2 * 10**6)
        assert world.seen == {"python_pool_v2": SESSIONS}

        entry = history(world)[-1]
        assert entry["action"] == "rollout:roll_back"
        assert entry["actor"] == {"kind": "scheduler", "name": "scheduler"}
        assert "of calls to snakepit fail, limit 5" in entry["reason"]
        assert "there is nothing to compare it with" in entry["reason"]
        assert entry["record"]["findings"]

    assert_it_cools_down(world)


def assert_it_cools_down(world):
    again = {"reason": "fixed"}
    status, problem = world.api("POST", "/flags/dspex-bridge/rollout/start", again)
    assert status == 409
    assert "cools down until" in problem["detail"]

    world.pass_by(timedelta(minutes=31))
    status, flag = world.api("POST", "/flags/dspex-bridge/rollout/start", again)
    assert status == 200
    assert flag["rollout"]["state"] == "running"
    assert flag["rollout"]["attempt"] == 2
    assert flag["rollout"]["percent"] == 1
    assert world.api("GET", "/audit/verify")[1]["broken"] is None


def test_changing_the_percentage_alone_changes_routing_within_one_poll(world):
    assert world.api("POST", "/flags", a_flag_document(plan=None, guardrails=None))[0] == 201
    with world.client() as client:
        echo = an_operation(world, client)
        unlisted = an_operation(world, client, "not_listed")
        assert heard(client)
        sessions = [f"session-{number}" for number in range(10_000)]
        cohorts = [served_by_candidate(echo, sessions)]
        for percent in (1, 10, 50, 100):
            status, _ = world.api(
                "PUT", "/flags/dspex-bridge/operations/echo", {"percent": percent}, **{"If-Match": "*"}
            )
            assert status == 200
            assert client.flush(60)  # one report, whose answer brings the next poll
            cohorts.append(served_by_candidate(echo, sessions))
            assert not served_by_candidate(unlisted, sessions[:500])

    sizes = [len(cohort) for cohort in cohorts]
    assert sizes[0] == 0
    assert sizes[4] == 10_000
    assert [round(size / 100) for size in sizes[1:4]] == pytest.approx([1, 10, 50], abs=2)
    assert all(smaller <= larger for smaller, larger in pairwise(cohorts))


def served_by_candidate(operation, sessions):
    """The sessions that the candidate served; each asked twice, and never answered by both."""
    first = {session for session in sessions if operation("hello", key=session) == "snakepit"}
    second = {session for session in sessions if operation("hello", key=session) == "snakepit"}
    assert first == second
    return first
