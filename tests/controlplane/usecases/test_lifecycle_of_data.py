"""Random lives of one flag whose plan moves data: no sequence of acts jumps a phase, or goes back where writes lack."""

import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from controlplane.documents.acts import ReconciledDocument
from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.flag import Side, effective_share
from controlplane.domain.phases import WAYS, Guard, Phase, after_brake, mode_in, share_in
from controlplane.domain.rollout import COOL_DOWN, State
from controlplane.domain.routing import CallKind, Mode
from controlplane.domain.snapshot import Clockwork
from controlplane.store import open_store
from controlplane.usecases import finishing, flags, reconciling, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_data_flag_document, a_data_plan_document
from tests.controlplane.acting import scheduler_takes_back

HERE = Place("production", "dspex-bridge")
BRAKES = (rollouts.abort, rollouts.roll_back)
VERBS = st.sampled_from(
    [
        rollouts.start,
        rollouts.pause,
        rollouts.resume,
        rollouts.step_back,
        rollouts.unlock,
        flags.disable_flag,
        flags.enable_flag,
        *BRAKES,
    ]
)
SHORTER = [stage for stage in a_data_plan_document()["stages"] if stage["phase"] != "shadow"]
PLANS = st.sampled_from(
    [
        a_data_plan_document(),
        a_data_plan_document(backlog_limit=2),
        {"kind": "data", "stages": a_data_plan_document()["stages"][:5]},
        {"kind": "data", "stages": SHORTER},
        {"stages": [{"percent": 50, "bake_seconds": 60}]},
        None,
    ]
)


def test_data_move_as_the_ways_allow(sqlite_model, tmp_path):
    def new_life():
        copy = shutil.copy(sqlite_model, tmp_path / "life.db")
        for leftover in tmp_path.glob("life.db-*"):
            leftover.unlink()
        return Life(f"sqlite:///{copy}")

    run_state_machine_as_test(new_life, settings=settings(max_examples=40, stateful_step_count=20, deadline=None))


def served(flag):
    """The largest share of keys that the candidate serves; none while the flag is off, whatever is set."""
    return max((effective_share(flag, name) for name in flag.operations), default=0)


class Life(RuleBasedStateMachine):
    """`missing` is the model's backlog: (baseline, candidate)."""

    def __init__(self, url):
        super().__init__()
        self.store = open_store(url)
        self.now = NOW
        self.lease = lead(self.store, "life", NOW, timedelta(days=999))
        self.flag = flags.create_flag(self.store, "production", a_data_flag_document(guardrails=None), a_cause())
        self.missing = {Side.BASELINE: 0, Side.CANDIDATE: 0}

    def teardown(self):
        self.store.close()

    @initialize(stages=st.integers(0, 6), lost=st.sampled_from([None, *Side]))
    def begin(self, stages, lost):
        """Somewhere on the way: chance alone would hardly ever come to the end."""
        for number in range(stages):
            verb, more = (rollouts.advance, {"confirm": "dspex-bridge"}) if number else (rollouts.start, {})
            self.do(verb, confirmed=True, **more)
        if lost:
            self.a_write_is_lost(lost, 1)

    @property
    def phase(self):
        return self.flag.rollout.phase

    def do(self, act, *args, brake=False, confirmed=False, **kwargs):
        before = self.flag
        with suppress(Refused, InvalidInput, NotFound):
            act(self.store, HERE, *args, a_cause(self.now), **kwargs)
        self.follow(before, brake=brake, confirmed=confirmed)

    def follow(self, before, *, brake=False, confirmed=False):
        self.flag = flags.get_flag(self.store, HERE)
        if served(self.flag) > served(before) and before.rollout.phase is not Phase.COMPLETE:
            moves = self.flag.plan and self.flag.plan.moves_data
            assert not moves or sum(self.missing.values()) <= self.flag.plan.backlog_limit
        if before.rollout.phase is self.phase or not (before.plan and before.plan.moves_data):
            return
        if brake and self.phase is after_brake(before.rollout.phase):
            return
        guard = WAYS[before.rollout.phase, self.phase]
        if guard is Guard.BASELINE_WHOLE:
            assert not self.missing[Side.BASELINE]
        if guard in {Guard.BACKLOG, Guard.CONFIRMED}:
            assert sum(self.missing.values()) <= self.flag.plan.backlog_limit
        assert guard is not Guard.CONFIRMED or confirmed

    @rule(verb=VERBS)
    def act(self, verb):
        self.do(verb, brake=verb in BRAKES)

    @rule(times=st.integers(1, 3))
    def advance(self, times):
        for _ in range(times):
            self.do(rollouts.advance)

    @rule(verb=st.sampled_from([rollouts.advance, finishing.finish]), key=st.sampled_from(["dspex-bridge", "another"]))
    def confirm(self, verb, key):
        self.do(verb, confirmed=key == "dspex-bridge", confirm=key)

    @rule(
        name=st.sampled_from(["read", "write", "new"]), percent=st.sampled_from([0, 5, 100]), mode=st.sampled_from(Mode)
    )
    def by_hand(self, name, percent, mode):
        document = {"kind": "write", "percent": percent, "mode": mode.value}
        self.do(lambda *a: flags.set_operation(*a[:2], name, document, a[2]))

    @rule(name=st.sampled_from(["read", "write"]), percent=st.sampled_from([0, 5, 100]))
    def percent_by_hand(self, name, percent):
        self.do(lambda *a: flags.set_operation(*a[:2], name, {"percent": percent}, a[2]))

    @rule(name=st.sampled_from(["read", "write"]))
    def take_back_one(self, name):
        self.do(lambda *a: rollouts.roll_back(*a, operation=name), brake=True)

    @rule(plan=PLANS)
    def replan(self, plan):
        self.do(lambda *a: flags.set_plan(*a[:2], plan, a[2]))

    @rule(back=st.integers(1, 20))
    def revert(self, back):
        self.do(lambda *a: flags.revert_flag(*a[:2], back, a[2]))

    @rule()
    def scheduler_rolls_back(self):
        before = self.flag
        with suppress(Refused, InvalidInput):
            scheduler_takes_back(self.store, HERE, self.now)
        self.follow(before)

    @rule(span=st.sampled_from([timedelta(seconds=90), COOL_DOWN]))
    def time_passes(self, span):
        self.now += span
        before = self.flag
        tick(self.store, lambda: self.now, Clockwork(), self.lease)
        self.follow(before)
        assert self.phase is before.rollout.phase or self.phase is not Phase.COMPLETE

    @rule(side=st.sampled_from(Side), writes=st.integers(1, 2))
    def a_write_is_lost(self, side, writes):
        told = {"writes": writes, f"{side}_missing": writes}
        with self.store.writing() as uow:
            uow.examples.add_divergences(1, {(HERE.flag, "write"): told}, self.now)
            uow.commit()
        self.missing[side] += writes

    @rule(side=st.sampled_from(Side), writes=st.integers(1, 3))
    def it_is_written_there(self, side, writes):
        told = ReconciledDocument(side=side, writes=writes)
        with suppress(Refused):
            reconciling.reconciled(self.store, HERE, told, replace(a_cause(self.now), reason="copied"))
            self.missing[side] = max(0, self.missing[side] - writes)

    @invariant()
    def every_operation_is_in_the_phase(self):
        if not (self.flag.plan and self.flag.plan.moves_data):
            return
        for name in self.flag.planned_operations:
            operation = self.flag.operations[name]
            if self.phase in {Phase.SHADOW, Phase.LIVE, Phase.RAMP_DOWN} and operation.kind is CallKind.WRITE:
                assert operation.mode is Mode.DUAL_WRITE
            if self.phase in {Phase.OFF, Phase.DUAL_WRITE, Phase.SHADOW}:
                assert operation.share == 0
            if not operation.rolled_back and self.flag.rollout.is_live:
                # What was taken back and unlocked in a pause is served by the baseline alone until somebody resumes.
                waits = self.flag.rollout.state is State.PAUSED and operation.share == 0
                alone = {Mode.SINGLE} if waits and operation.kind is CallKind.READ else set()
                assert operation.mode in {mode_in(self.phase, operation.kind), *alone}
                assert operation.share in {
                    share_in(self.phase),
                    0,
                    *({50_000, 5_000, 100_000} if self.phase is Phase.LIVE else ()),
                }

    @invariant()
    def nobody_but_a_person_ended_the_writes_to_the_baseline(self):
        assert (self.phase is Phase.COMPLETE) <= (self.flag.rollout.no_way_back_since is not None)


def test_what_is_unlocked_in_a_pause_waits_for_somebody_to_resume(store):
    flags.create_flag(store, "production", a_data_flag_document(guardrails=None), a_cause())
    for act in (rollouts.start, rollouts.advance, rollouts.pause):
        act(store, HERE, a_cause())
    rollouts.roll_back(store, HERE, a_cause(), operation="read")

    unlocked = rollouts.unlock(store, HERE, a_cause())
    resumed = rollouts.resume(store, HERE, a_cause())

    assert (unlocked.rollout.phase, unlocked.operations["read"].mode) == (Phase.SHADOW, Mode.SINGLE)
    assert (resumed.rollout.phase, resumed.operations["read"].mode) == (Phase.SHADOW, Mode.SHADOW)
