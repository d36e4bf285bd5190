"""Nine weeks of a rollout with hours, a freeze, a breach and an approval; its scheduler may die at any moment of them.

The clock jumps to whatever is due next, so that nine weeks are a few hundred ticks.
"""

import random
from datetime import timedelta

import pytest

from controlplane.domain.calendar import Calendar
from controlplane.domain.rollout import State
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties
from controlplane.store import open_store
from controlplane.usecases import finishing, flags, freezes, rollouts
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.schema import upgrade_schema
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE, Life

NINE_WEEKS = timedelta(weeks=9)
OFTEN = timedelta(hours=24)
SEALED = timedelta(seconds=30)
TAKES_OVER = timedelta(seconds=4)  # the lease of the dead one has run out
MOST_TICKS = 2_000
DAY = 86_400
STAGES = [{"percent": each, "bake_seconds": 5 * DAY, "approval": each == 50} for each in (1, 10, 50, 98)]
PLAN = {"stages": STAGES, "windows": [{"days": ["mon", "tue", "wed", "thu"], "opens": "09:00", "closes": "16:00"}]}
FREEZE = (timedelta(days=25), timedelta(days=28))
BREACH = timedelta(days=10)
FIXED = timedelta(days=11)


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class Story:
    """`dies` is how probable it is that the scheduler does not survive a visit."""

    def __init__(self, store, chance, dies):
        self.store = store
        self.life = Life(store, lease=None)
        self.chance = chance
        self.dies = dies
        self.now = NOW
        self.ticks = self.deaths = 0
        self.fuse = 0  # looks at the clock until the process is killed; 0: it lives
        self.duties = self._a_scheduler()

    def _a_scheduler(self):
        return Duties(self.store, self._clock, Clockwork(), f"scheduler-{self.deaths}")

    def _clock(self):
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                raise Killed
        return self.now

    @property
    def flag(self):
        return flags.get_flag(self.store, HERE)

    def visit(self, at, **candidate):
        """What services tell of this moment, and a look at it."""
        self.life.at = at
        self.life.report(at, **candidate)
        self.now = at + SEALED
        if self.chance.random() < self.dies:
            self._die()
        self._look()

    def _die(self):
        self.fuse = self.chance.randint(1, 4)
        try:
            self._look()
        except Killed:
            self.fuse = 0
        if not self.fuse:
            self.deaths += 1
            self.now += TAKES_OVER
            self.duties = self._a_scheduler()
        self.fuse = 0

    def _look(self):
        self.duties.heartbeat()
        self.duties.tick()
        self.ticks += 1
        assert not any(count for name, count in self.duties.counts.items() if name.endswith("failed"))

    def next_due(self):
        """The next moment at which something may happen by itself; a day at most."""
        flag = self.flag
        due = flag.rollout.bakes_until(flag.plan) if flag.rollout.state is State.RUNNING else None
        frozen = tuple(freezes.list_freezes(self.store, "production"))
        opens = Calendar(flag.plan.windows, frozen).opens_at(max(due, self.now)) if due else None
        soon = self.now + OFTEN
        return min([soon, *(each for each in (due, opens) if each and each > self.now)])

    def live(self):
        flags.create_flag(self.store, "production", a_flag_document(plan=PLAN), a_cause())
        told = {"name": "year's end", "starts_at": _at(FREEZE[0]), "ends_at": _at(FREEZE[1])}
        freezes.add_freeze(self.store, "production", told, a_cause())
        rollouts.start(self.store, HERE, a_cause())
        broken = fixed = False
        while self.now < NOW + NINE_WEEKS:
            at, flag = self.next_due(), self.flag
            if at >= NOW + BREACH and not broken:
                broken = True
                self.visit(at, errors={"system": 60})
            elif at >= NOW + FIXED and not fixed:
                fixed = True
                rollouts.start(self.store, HERE, a_cause(at, reason="it is fixed"))
                self.now = at
            elif _waits_for_approval(flag, at):
                rollouts.approve(self.store, HERE, a_cause(at, reason="it looks well"))
                self.visit(at)
            else:
                self.visit(at)
        if self.flag.rollout.state is State.COMPLETED:
            finishing.finish(self.store, HERE, a_cause(self.now))
        return self

    def told(self):
        """What was done, by whom, and what became of the rollout and the percents: everything but the instants."""
        entries = reversed(list_entries(self.store, "production", Filter(flag=HERE.flag), limit=500).items)
        return [(each.action, each.actor.kind, tuple(_lasting(each.changes))) for each in entries]


def _at(span):
    return (NOW + span).isoformat()


def _waits_for_approval(flag, at):
    rollout = flag.rollout
    due = rollout.bakes_until(flag.plan) if rollout.state is State.RUNNING else None
    return due is not None and at >= due and flag.plan.stage(rollout.stage).approval and not rollout.approved


def _lasting(changes):
    for each in changes:
        if each.path in {"rollout.state", "rollout.stage", "rollout.attempt"} or each.path.endswith(".percent"):
            yield each.path, each.before, each.after


@pytest.fixture
def new_store(database_url, tmp_path, request):
    """A second database beside the first, of the same kind."""
    opened = []

    def make(url):
        store = open_store(url)
        opened.append(store)
        upgrade_schema(store)
        ensure_first(store, a_cause())
        return store

    def both():
        if database_url.startswith("sqlite"):
            return make(database_url), make(f"sqlite:///{tmp_path / 'undisturbed.db'}")
        other = request.getfixturevalue("postgres").database()
        url = other.__enter__()
        request.addfinalizer(lambda: other.__exit__(None, None, None))
        return make(database_url), make(url)

    yield both
    for store in opened:
        store.close()


def test_row_39_nine_weeks_come_to_the_same_end_when_their_scheduler_dies_again_and_again(new_store):
    mortal, immortal = new_store()

    disturbed = Story(mortal, random.Random(3), dies=0.6).live()
    undisturbed = Story(immortal, random.Random(3), dies=0.0).live()

    assert disturbed.deaths > 20
    assert disturbed.told() == undisturbed.told()
    assert disturbed.flag.rollout.state is State.FINISHED
    assert [each.share for each in disturbed.flag.operations.values()] == [100_000, 100_000]
    assert max(disturbed.ticks, undisturbed.ticks) <= MOST_TICKS
    assert verify(mortal, "production").broken is None

    actions = [str(action) for action, _, _ in undisturbed.told()]
    assert actions.count("rollout:advance") == 4  # one before the breach, three after it
    assert actions.count("rollout:roll_back") == 1
    assert actions[-2:] == ["rollout:complete", "rollout:finish"]
