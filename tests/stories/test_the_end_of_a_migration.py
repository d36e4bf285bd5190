"""After the last stage: the baseline falls silent, the flag is archived, answers for 90 days, and is gone."""

from datetime import timedelta

import pytest
from freezegun import freeze_time

from tests.builders import a_flag_document
from tests.stories.world import a_world, an_operation, heard

DAY = timedelta(days=1)


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


def finish(world):
    status, answer = world.api("GET", "/flags/dspex-bridge/finish-line")
    assert status == 200
    return answer


def forget(world) -> None:
    """What the scheduler does once an hour."""
    world.duties.heartbeat()
    world.duties.forget()


def test_a_baseline_falls_silent_and_its_flag_answers_for_ninety_days_more(world):
    document = a_flag_document(operations={"echo": {"percent": 0}}, guardrails=None, plan=None)
    assert world.api("POST", "/flags", document)[0] == 201
    with world.client() as client:
        echo = an_operation(world, client)
        assert heard(client)
        world.serve(echo, 30)
        world.report_and_tick(client)
        (caller,) = finish(world)["callers"]
        assert (caller["service"], caller["operation"]) == ("bridge-api", "echo")
        (place,) = caller["places"]
        assert place.startswith("tests/stories/world.py:")
        assert [each["place"] for each in finish(world)["sites"]] == [place]

        world.api("PUT", "/flags/dspex-bridge/operations/echo", {"percent": 100}, **{"If-Match": "*"})
        assert client.flush(60)
        for _ in range(5):
            world.serve(echo, 30)
            world.report_and_tick(client)
            world.pass_by(3 * DAY)
        assert world.seen == {"python_pool_v2": 30, "snakepit": 150}
        assert finish(world)["sentence"] == "0 calls to python_pool_v2 for 14 days: ready to remove"

        assert world.api("DELETE", "/flags/dspex-bridge", **{"If-Match": "*"})[0] == 200
        assert client.flush(60)
        world.pass_by(89 * DAY)
        forget(world)
        world.report_and_tick(client)
        assert echo("hello", key="late") == "snakepit"
        assert client.status().archived == ("dspex-bridge",)

        world.pass_by(2 * DAY)
        forget(world)
        world.report_and_tick(client)
        decision = client.migration("dspex-bridge").decide("echo", key="too-late")
        assert decision.reason == "flag_missing"
        assert client.status().archived == ()
