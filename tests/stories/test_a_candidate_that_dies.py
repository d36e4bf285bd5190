"""From the first failing call to new routing, before any bucket is sealed."""

from datetime import timedelta

import pytest
from freezegun import freeze_time

from tests.builders import a_flag_document, a_plan_document
from tests.stories.world import a_world, an_operation, heard


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


def test_a_dead_candidate_is_rolled_back_at_the_first_tick_after_its_breaker_has_told(world):
    document = a_flag_document(operations={"echo": {"percent": 0}}, plan=a_plan_document(50, 98))
    assert world.api("POST", "/flags", document)[0] == 201
    assert world.api("POST", "/flags/dspex-bridge/rollout/start", {"reason": "go"})[0] == 200
    with world.client() as client:
        echo = an_operation(world, client)
        assert heard(client)
        world.serve(echo, 200)
        world.report_and_tick(client)
        assert world.flag()["rollout"]["state"] == "running"

        world.fails_of_ten = 10
        world.serve(echo, 600, first=200)
        assert 0 < world.broke < 300
        world.pass_by(timedelta(seconds=2))
        assert client.flush(60)
        world.tick()
        assert world.flag()["rollout"]["state"] == "rolled_back"
        assert "tells of an open breaker" in world.api("GET", "/audit?limit=1")[1]["items"][0]["reason"]

        assert client.flush(60)
        before = world.broke
        assert {echo("hello", key=f"session-{number}") for number in range(200)} == {"python_pool_v2"}
        assert world.broke == before
