"""Reports of more cells than fit into one: what is so now outlives the later parts."""

from contextlib import suppress

import pytest
from freezegun import freeze_time

from tests.builders import a_flag_document
from tests.stories.world import BUCKET, PATIENCE, CandidateBroke, a_world, an_operation, heard
from throwbar.report import CELLS_PER_REPORT


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


def open_breakers(world):
    status, answer = world.api("GET", "/flags/dspex-bridge/health")
    assert status == 200
    return answer["operations"]["echo"]["breakers"]


def test_an_open_breaker_stays_known_when_its_report_comes_in_parts(world):
    document = a_flag_document(operations={"echo": {"percent": 100}}, guardrails=None, plan=None)
    assert world.api("POST", "/flags", document)[0] == 201
    with world.client() as client:
        bridge, echo = client.migration("dspex-bridge"), an_operation(world, client)
        assert heard(client)
        world.fails_of_ten = 10
        for number in range(40):
            with suppress(CandidateBroke):
                echo("hello", key=f"session-{number}")
        for number in range(CELLS_PER_REPORT + 50):
            with bridge.attempt(f"operation-{number}", key="k"):
                pass

        before = client.status().reports_sent
        world.pass_by(BUCKET)
        assert client.flush(PATIENCE)

        assert client.status().reports_sent >= before + 2
        (breaker,) = open_breakers(world)
        assert breaker["state"] in {"open", "half_open"}
