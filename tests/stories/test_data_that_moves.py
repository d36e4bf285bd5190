"""Two stores, one flag, six phases: a service writes to both over real HTTP, writes get lost, and nothing is forgotten."""

from contextlib import suppress
from datetime import timedelta

import pytest
from freezegun import freeze_time

import throwbar
from tests.builders import a_data_flag_document
from tests.stories.world import CandidateBroke, a_world

ROLLOUT = "/flags/dspex-bridge/rollout"
SESSIONS = [f"session-{number}" for number in range(20)]


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


class Lost(ConnectionRefusedError):
    """What a store that is down answers: nothing was written."""


class Shop:
    """A service with two stores. `down` are those that take no write, `broken` those that answer with an error."""

    def __init__(self, world, client, *, mends=False):
        self.world, self.client, self.down, self.broken = world, client, set(), set()
        self.stores = {"python_pool_v2": {}, "snakepit": {}}
        migration = client.migration("dspex-bridge")
        self.read = migration.operation("read", kind=throwbar.READ)
        self.write = migration.operation(
            "write", kind=throwbar.WRITE, dual_write=True, reconcile=self.mend if mends else lambda _: False, retry=None
        )
        for name, side in (("python_pool_v2", "baseline"), ("snakepit", "candidate")):
            getattr(self.read, side)(self._reader(name))
            getattr(self.write, side)(self._writer(name))

    def _reader(self, name):
        return self.stores[name].get

    def _writer(self, name):
        def written(session, value):
            if name in self.down:
                raise Lost(name)
            if name in self.broken:
                raise CandidateBroke
            self.stores[name][session] = value

        return written

    def mend(self, divergence):
        self.stores[divergence.missing_at][divergence.args[0]] = divergence.args[1]

    def works(self):
        """Every session writes and reads; the service has obeyed and reported, and a tick looks at it."""
        assert self.client.flush(60)
        for session in SESSIONS:
            with suppress(Lost):
                self.write(session, f"{session} at {self.world.clock()}", key=session)
            self.read(session, key=session)

    def bakes(self):
        """The stage is over, everything has been reported, and a tick looks at it."""
        self.world.pass_by(timedelta(seconds=70))
        for _ in range(2):  # what was newest when the first was answered is obeyed in the second
            assert self.client.flush(60)
        self.world.tick()
        assert self.client.flush(60)
        return self.rollout["phase"]

    @property
    def rollout(self):
        return self.world.flag()["rollout"]

    def act(self, verb, **body):
        return self.world.api("POST", f"{ROLLOUT}/{verb}", {"reason": "as the plan says", **body})


@pytest.fixture
def client(world):
    assert world.api("POST", "/flags", a_data_flag_document(guardrails=None))[0] == 201
    with world.client() as living:
        yield living


def on_the_way(shop, phase):
    """The rollout in this phase, with traffic in each before it."""
    assert shop.act("start")[0] == 200
    while shop.rollout["phase"] != phase:
        shop.works()
        shop.bakes()
    shop.works()
    return shop


def test_data_move_through_six_phases_and_a_lost_write_holds_them_until_somebody_has_written_it(world, client):
    shop = Shop(world, client)
    baseline, candidate = shop.stores.values()
    assert shop.rollout["phase"] == "off"
    shop.works()
    assert not candidate

    assert shop.act("start")[0] == 200
    shop.works()
    assert baseline == candidate

    shop.down = {"snakepit"}
    shop.write("session-1", "lost", key="session-1")
    shop.down = set()
    assert shop.bakes() == "dual_write"
    assert shop.rollout["backlog"] == {"baseline": 0, "candidate": 1}
    assert "1 write is missing in the candidate's store" in shop.rollout["waiting_for"]
    status, refused = shop.act("advance")
    assert (status, refused["status"]) == (409, 409)
    assert "mend them and say reconciled" in refused["detail"]

    candidate["session-1"] = baseline["session-1"]
    assert world.api("POST", f"{ROLLOUT}/reconciled", {"side": "candidate"})[0] == 422  # how, nobody said
    assert shop.act("reconciled", side="candidate", writes=1)[0] == 200
    assert shop.act("reconciled", side="candidate")[0] == 409  # nothing is missing any more
    assert [shop.bakes(), shop.bakes()] == ["shadow", "live"]
    shop.works()
    assert baseline == candidate
    assert [shop.bakes(), shop.bakes()] == ["live", "ramp_down"]

    shop.works()
    assert [shop.bakes(), shop.bakes()] == ["ramp_down", "ramp_down"]
    assert "waits for a person to confirm" in shop.rollout["waiting_for"]
    status, refused = shop.act("advance")
    assert status == 422
    assert "nothing is written to python_pool_v2 any more" in refused["errors"][0]["message"]
    assert shop.act("advance", confirm="another")[0] == 422
    assert shop.rollout["phase"] == "ramp_down"
    status, complete = shop.act("advance", confirm="dspex-bridge")
    assert (status, complete["rollout"]["phase"]) == (200, "complete")
    assert complete["rollout"]["no_way_back_since"].startswith("2026-01-05")

    before = dict(baseline)
    shop.works()
    assert baseline == before
    assert candidate != before
    shop.down = {"snakepit"}
    with pytest.raises(Lost):  # the baseline would answer with what it missed
        shop.write("session-2", "nowhere", key="session-2")
    assert shop.bakes() == "complete"
    assert shop.act("rollback")[1]["rollout"]["way_back"].startswith(
        "NO WAY BACK: nothing was written to python_pool_v2"
    )
    actions = [entry["action"] for entry in world.api("GET", "/flags/dspex-bridge/history")[1]["items"]]
    assert actions.count("flag:reconcile") == 1


def test_a_hook_that_mends_at_once_holds_nothing(world, client):
    shop = Shop(world, client, mends=True)
    assert shop.act("start")[0] == 200
    shop.works()
    shop.down = {"snakepit"}

    shop.works()

    assert shop.bakes() == "shadow"
    assert shop.rollout["backlog"] == {"baseline": 0, "candidate": 0}
    assert world.flag()["operations"]["write"]["mode"] == "dual_write"


def test_from_live_there_is_a_step_back_only_as_long_as_the_baseline_has_every_write(world, client):
    shop = on_the_way(Shop(world, client), "live")
    shop.down = {"python_pool_v2"}
    shop.works()
    shop.down = set()
    shop.bakes()
    lost = shop.rollout["backlog"]["baseline"]
    assert 0 < lost < len(SESSIONS)

    status, refused = shop.act("step-back")

    assert status == 409
    assert f"{lost} writes are missing in the baseline's store" in refused["detail"]
    assert shop.act("reconciled", side="baseline", writes=lost)[0] == 200
    assert shop.act("step-back")[1]["rollout"]["phase"] == "shadow"


def test_a_person_who_rolls_back_is_never_asked_and_always_told(world, client):
    shop = on_the_way(Shop(world, client), "live")
    whole = shop.rollout["way_back"]
    shop.down = {"python_pool_v2"}
    shop.works()
    shop.down = set()
    shop.bakes()

    status, answer = world.api("POST", "/flags/dspex-bridge/disable", {})
    assert (status, answer["rollout"]["phase"]) == (200, "live")
    assert answer["rollout"]["way_back"].startswith("WRITES ARE MISSING: ")
    status, answer = shop.act("rollback")

    assert whole == "A rollback loses nothing: python_pool_v2 has every write"
    assert (status, answer["rollout"]["phase"]) == (200, "dual_write")
    assert answer["rollout"]["way_back"].startswith("WRITES ARE MISSING: ")
    assert world.api("POST", "/flags/dspex-bridge/enable", {})[0] == 200
    shop.works()
    assert shop.stores["python_pool_v2"].items() >= shop.stores["snakepit"].items()


def test_the_scheduler_pauses_where_a_rollback_would_lose_writes_and_rolls_back_once_they_are_there(world, client):
    shop = on_the_way(Shop(world, client), "live")
    limits = {"min_samples": 10, "max_error_rate": 0.05}
    assert world.api("PUT", "/flags/dspex-bridge/guardrails", limits, **{"If-Match": "*"})[0] == 200
    assert client.flush(60)
    ours = next(each for each in SESSIONS if client.migration("dspex-bridge").decide("write", key=each).candidate)
    shop.down = {"python_pool_v2"}
    shop.write(ours, "only at the candidate", key=ours)
    shop.down, shop.broken = set(), {"snakepit"}
    for number in range(600):
        with suppress(CandidateBroke):
            shop.write(f"user-{number}", "lost", key=f"user-{number}")
    world.report_and_tick(client)

    rollout = shop.rollout
    assert (rollout["state"], rollout["phase"]) == ("paused", "live")
    assert "holds: would roll back, but" in rollout["waiting_for"]
    assert "1 write is missing in the store of python_pool_v2" in rollout["waiting_for"]

    assert shop.act("reconciled", side="baseline")[0] == 200
    world.report_and_tick(client)
    assert (shop.rollout["state"], shop.rollout["phase"]) == ("rolled_back", "dual_write")
