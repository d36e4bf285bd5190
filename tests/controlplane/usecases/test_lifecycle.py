"""Random lives of one flag and its rollout, beside a small model of what may happen and what must hold."""

import shutil
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.flag import effective_share, raises_exposure
from controlplane.domain.rollout import ATTEMPT_LIMIT, COOL_DOWN, State, on_last_stage, stage_of
from controlplane.store import open_store
from controlplane.usecases import finishing, flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.snapshots import current_versions
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.acting import scheduler_takes_back

HERE = Place("production", "dspex-bridge")
PLAN = {"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}, {"percent": 50, "bake_seconds": 60}]}
LIVE = {State.RUNNING, State.PAUSED}
NAMES = st.sampled_from(["echo", "simple_predict"])
PERCENTS = st.sampled_from([0, 1, 5, 50, 100])


def test_a_flag_lives_as_the_model_says(sqlite_model, tmp_path):
    def new_life():
        copy = shutil.copy(sqlite_model, tmp_path / "life.db")
        for leftover in tmp_path.glob("life.db-*"):
            leftover.unlink()
        return Lifecycle(f"sqlite:///{copy}")

    run_state_machine_as_test(new_life, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


class Lifecycle(RuleBasedStateMachine):
    def __init__(self, url):
        super().__init__()
        self.store = open_store(url)
        self.now = NOW
        self.flag = flags.create_flag(self.store, "production", a_flag_document(plan=PLAN), a_cause())
        self.entries = 1
        self.taken_alone = set()

    def teardown(self):
        self.store.close()

    def do(self, allowed, act, *args):
        """Carry it out; it has to be refused exactly when the model does not allow it."""
        before = self.flag
        try:
            self.flag = act(self.store, HERE, *args, a_cause(self.now))
        except (Refused, InvalidInput, NotFound):
            assert not allowed
            assert flags.get_flag(self.store, HERE) == before
            return
        assert allowed
        self.follow(before)

    def follow(self, before):
        assert self.flag == flags.get_flag(self.store, HERE)
        assert self.flag.version - before.version in {0, 1}
        self.entries += self.flag.version - before.version
        assert self.flag.rollout.attempt >= before.rollout.attempt
        if raises_exposure(before, self.flag) and not before.rollout.is_live:
            assert self.flag.rollout.attempt == before.rollout.attempt + 1

    @property
    def state(self):
        return self.flag.rollout.state

    @property
    def cools_down(self):
        until = self.flag.rollout.cool_down_until
        return self.state is State.ROLLED_BACK and until is not None and self.now < until

    @rule(span=st.sampled_from([timedelta(minutes=1), COOL_DOWN]))
    def wait(self, span):
        self.now += span

    @rule(name=NAMES, percent=PERCENTS)
    def set_percent(self, name, percent):
        same = self.flag.operations[name].share == percent * 1000
        self.do(
            self.state is not State.RUNNING or same,
            lambda *a: flags.set_operation(*a[:2], name, {"percent": percent}, a[2]),
        )

    @rule()
    def enable(self):
        self.do(True, flags.enable_flag)

    @rule()
    def disable(self):
        self.do(True, flags.disable_flag)

    @rule()
    def start(self):
        allowed = self.flag.enabled and not self.cools_down and self.state not in {*LIVE, State.LOCKED}
        self.do(allowed, rollouts.start)
        if allowed:
            self.taken_alone.clear()

    @rule()
    def pause(self):
        self.do(self.state in LIVE, rollouts.pause)

    @rule()
    def resume(self):
        allowed = self.state is State.PAUSED
        self.do(allowed, rollouts.resume)
        if allowed:
            self.taken_alone = {name for name, each in self.flag.operations.items() if each.rolled_back}

    @rule()
    def advance(self):
        self.do(self.state is State.RUNNING, rollouts.advance)
        if self.state is State.RUNNING:
            self.taken_alone = {name for name, each in self.flag.operations.items() if each.rolled_back}

    @rule()
    def approve(self):
        asks = self.state in LIVE and stage_of(self.flag.plan, self.flag.rollout).approval
        self.do(asks, rollouts.approve)

    @rule()
    def abort(self):
        self.do(self.state in {*LIVE, State.COMPLETED, State.ABORTED}, rollouts.abort)

    @rule()
    def finish(self):
        at_the_end = self.state is State.RUNNING and on_last_stage(self.flag.plan, self.flag.rollout)
        self.do(self.state is State.COMPLETED or at_the_end, finishing.finish)

    @rule()
    def unlock(self):
        self.do(self.state is not State.RUNNING, rollouts.unlock)
        assert self.state is State.RUNNING or not self.flag.rolled_back
        assert self.state not in {State.ROLLED_BACK, State.LOCKED}

    @rule()
    def roll_back(self):
        self.do(True, rollouts.roll_back)
        assert self.flag.rolled_back
        assert self.flag.largest_share == 0

    @rule(name=NAMES)
    def roll_back_one(self, name):
        self.do(True, lambda *args: rollouts.roll_back(*args, operation=name))
        self.taken_alone.add(name)
        assert effective_share(self.flag, name) == 0

    @precondition(lambda self: self.flag.exposed_operations)
    @rule()
    def scheduler_rolls_back(self):
        before = self.flag
        self.flag = scheduler_takes_back(self.store, HERE, self.now)
        self.follow(before)
        locked = before.rollout.rollbacks + 1 >= ATTEMPT_LIMIT
        assert self.state is (State.LOCKED if locked else State.ROLLED_BACK)

    @rule(back=st.integers(1, 40))
    def revert(self, back):
        exists = 1 <= back <= self.flag.version
        busy = self.state in {*LIVE, State.LOCKED} or self.cools_down
        self.do(exists and not busy, lambda *args: flags.revert_flag(*args[:2], back, args[2]))

    @invariant()
    def every_entry_is_a_version_and_every_version_is_published(self):
        written = list_entries(self.store, "production", Filter(flag="dspex-bridge"), limit=1000).items
        assert [entry.version for entry in written] == list(range(self.entries, 0, -1))
        assert self.flag.version == self.entries
        assert current_versions(self.store)[0].version == 1 + self.entries

    @invariant()
    def the_chain_is_whole(self):
        assert verify(self.store, "production").broken is None

    @invariant()
    def what_is_rolled_back_sends_nobody_to_the_candidate(self):
        if self.flag.rolled_back:
            assert self.flag.exposed_operations == ()
            assert not any(effective_share(self.flag, name) for name in self.flag.operations)

    @invariant()
    def a_running_rollout_has_the_share_of_its_stage(self):
        if self.state is State.RUNNING:
            share = stage_of(self.flag.plan, self.flag.rollout).share
            for name in set(self.flag.planned_operations) - self.taken_alone:
                assert self.flag.operations[name].share == share
            for name in self.taken_alone:
                assert effective_share(self.flag, name) in {0, share}

    @invariant()
    def only_the_scheduler_locks_and_only_after_three(self):
        assert (self.state is State.LOCKED) <= (self.flag.rollout.rollbacks >= ATTEMPT_LIMIT)
