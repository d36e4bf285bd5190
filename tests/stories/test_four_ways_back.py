"""Immediate, gradual, of one operation, automatic: each way back arrives with the next poll, and no stale one undoes it."""

import json
from contextlib import ExitStack

import pytest
from freezegun import freeze_time

import throwbar
from tests.builders import a_flag_document, a_plan_document
from tests.stories.world import CandidateBroke, a_world, an_operation, heard
from throwbar.transport import HttpTransport, Response

NAMES = ("echo", "simple_predict")
SESSIONS = [f"session-{number}" for number in range(300)]


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


class Proxy:
    """A real transport through a cache on the way, which may begin to answer polls with what it once saw."""

    def __init__(self, port):
        self._way = HttpTransport(f"http://127.0.0.1:{port}")
        self.first = None
        self.versions = []  # of the snapshots that were answered
        self.is_stale = False
        self.served_stale = 0

    def __call__(self, method, path, headers, body, timeout):
        if self.is_stale and method == "GET":
            self.served_stale += 1
            return self.first
        answer = self._way(method, path, headers, body, timeout)
        if method == "GET" and answer.status == 200:
            self.first = self.first or answer
            self.versions.append(json.loads(answer.body)["version"])
        if self.is_stale and answer.status == 202:
            told = json.loads(answer.body) | {"version": 10**9}  # makes the SDK poll, again and again
            return Response(202, answer.headers, json.dumps(told).encode())
        return answer

    def close(self):
        self._way.close()


class Service:
    """One process with the real SDK behind its own proxy."""

    def __init__(self, world, stack):
        self.proxy = Proxy(world.port)
        stack.callback(self.proxy.close)  # after the client, which says goodbye through it
        self.client = stack.enter_context(
            throwbar.Client(
                f"http://127.0.0.1:{world.port}",
                world.sdk,
                service="bridge-api",
                backup_file=False,
                transport=self.proxy,
            )
        )
        self.operations = {name: an_operation(world, self.client, name) for name in NAMES}
        assert heard(self.client)

    def decided(self):
        """Operation → the sessions that would go to the candidate now."""
        flag = self.client.migration("dspex-bridge")
        return {name: {each for each in SESSIONS if flag.decide(name, key=each).candidate} for name in NAMES}


@pytest.fixture
def services(world):
    """Three processes of a flag whose rollout has come to 50 %."""
    document = a_flag_document(plan=a_plan_document(10, 50, 98))
    document["guardrails"]["min_samples"] = 50
    with ExitStack() as stack:
        assert world.api("POST", "/flags", document)[0] == 201
        found = [Service(world, stack) for _ in range(3)]
        for verb in ("start", "advance"):
            assert world.api("POST", f"/flags/dspex-bridge/rollout/{verb}", {"reason": "to have a way back"})[0] == 200
        for each in found:
            assert each.client.flush(60)
            assert 100 < len(each.decided()["echo"]) < 200
        yield found


def immediate(world, _services):
    assert world.api("POST", "/flags/dspex-bridge/rollout/rollback", {"reason": "back"})[0] == 200


def gradual(world, _services):
    assert world.api("POST", "/flags/dspex-bridge/rollout/step-back", {"reason": "a little"})[0] == 200


def of_one_operation(world, _services):
    assert world.api("POST", "/flags/dspex-bridge/rollout/rollback", {"operation": "echo"})[0] == 200


def automatic(world, services):
    world.fails_of_ten = 10
    for name in NAMES:
        for session in range(600):
            try:
                services[0].operations[name]("hello", key=f"user-{session}")
            except CandidateBroke:
                continue
    world.report_and_tick(services[0].client)
    assert world.flag()["rollout"]["state"] == "rolled_back"


@pytest.mark.parametrize(
    ("go_back", "echo", "simple_predict"),
    [
        (immediate, (0, 0), (0, 0)),
        (gradual, (10, 60), (10, 60)),
        (of_one_operation, (0, 0), (100, 200)),
        (automatic, (0, 0), (0, 0)),
    ],
    ids=["immediate", "gradual", "one operation", "automatic"],
)
def test_each_way_back_arrives_with_the_next_poll_and_a_stale_one_does_not_undo_it(
    world, services, go_back, echo, simple_predict
):
    before = [each.decided() for each in services]
    polls = [len(each.proxy.versions) for each in services]

    go_back(world, services)
    newest = world.api("GET", "/flags/dspex-bridge/convergence")[1]["version"]
    for each in services:
        assert each.client.flush(60)

    after = [each.decided() for each in services]
    for each, seen in zip(services, polls, strict=True):
        assert each.proxy.versions[seen:] == [newest]  # one poll, and it brought the way back
    for was, now in zip(before, after, strict=True):
        assert now == after[0]  # the same keys in every process
        assert echo[0] <= len(now["echo"]) <= echo[1]
        assert simple_predict[0] <= len(now["simple_predict"]) <= simple_predict[1]
        assert all(now[name] <= was[name] for name in NAMES)  # nobody was moved the other way

    for each in services:
        each.proxy.is_stale = True
        assert each.client.flush(60)
        assert each.proxy.served_stale
    assert [each.decided() for each in services] == after
