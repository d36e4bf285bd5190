"""Between two stages: is the next one entered while processes still live in the one before?"""

from datetime import timedelta

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.rollout import State
from controlplane.usecases import flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.instances import convergence
from controlplane.usecases.snapshots import current_versions
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document, a_report
from tests.controlplane.usecases.reporting import CLOCKWORK

HERE = Place("production", "dspex-bridge")
BAKED = NOW + timedelta(seconds=90)


@pytest.fixture
def begin(store):
    def begun(**plan):
        document = a_flag_document(plan={**a_plan_document(1, 10, 50, bake_seconds=60), **plan}, guardrails=None)
        flags.create_flag(store, "production", document, a_cause())
        rollouts.start(store, HERE, a_cause())

    return begun


def heard(store, *, behind=0, at=BAKED, sequence=1, instance="bridge-1"):
    """A process that obeys the newest version, or one that many versions before."""
    newest = current_versions(store)[0]
    version = newest.version - behind
    told = a_report(instance=instance, source=newest.source, version=version, sequence=sequence)
    record_reports(store, [told], at)


def look(store, lease, at=BAKED):
    tick(store, lambda: at, CLOCKWORK, lease)
    return flags.get_flag(store, HERE).rollout


def test_a_barrier_that_blocks_holds_the_next_stage_until_the_last_live_instance_obeys(store, lease, begin):
    begin(barrier="block")
    heard(store, behind=1)

    assert look(store, lease).stage == 0
    waiting = describe_flag(store, HERE, BAKED)["rollout"]["waiting_for"]
    assert waiting.startswith("has baked: waits for every live instance: 1 of 1 instance does not obey version")
    assert "bridge-1" in waiting

    heard(store, sequence=2)
    assert look(store, lease).stage == 1


def test_a_barrier_that_warns_goes_on_and_writes_down_who_was_behind(store, lease, begin):
    begin()
    heard(store, behind=1)

    assert look(store, lease).stage == 1
    with store.reading() as uow:
        entry = uow.audit.newest_by_flag(uow.environments.get("production").id)["dspex-bridge"]
    assert "although 1 of 1 instance does not obey version" in entry.reason


def test_a_process_that_is_gone_blocks_nothing(store, lease, begin):
    begin(barrier="block")
    heard(store, behind=1, at=NOW)

    assert look(store, lease, NOW + timedelta(minutes=9)).stage == 0
    assert look(store, lease, NOW + timedelta(minutes=10)).stage == 1


def test_a_scheduler_that_slept_passes_one_barrier_at_a_time(store, lease, begin):
    begin(barrier="block")
    late = NOW + timedelta(days=1)
    heard(store, at=late)

    assert look(store, lease, late).stage == 1
    assert look(store, lease, late + timedelta(minutes=2)).stage == 1  # nobody has told of the new version yet
    heard(store, at=late, sequence=2)
    assert look(store, lease, late + timedelta(minutes=2)).stage == 2


def test_a_person_does_not_go_past_a_barrier_that_blocks_either(store, begin):
    begin(barrier="block")
    heard(store, behind=1)
    before = flags.get_flag(store, HERE)

    with pytest.raises(Refused, match=r"bridge-1: wait for it, stop it, or pause and take the barrier out of the plan"):
        rollouts.advance(store, HERE, a_cause(BAKED))
    assert flags.get_flag(store, HERE) == before

    heard(store, sequence=2)
    assert rollouts.advance(store, HERE, a_cause(BAKED)).rollout.stage == 1


def test_no_barrier_stands_between_an_operator_and_the_brake(store, begin):
    begin(barrier="block")
    heard(store)
    rollouts.advance(store, HERE, a_cause(BAKED))  # whose version nobody has told of yet

    assert rollouts.step_back(store, HERE, a_cause(BAKED)).rollout.stage == 0
    assert rollouts.pause(store, HERE, a_cause(BAKED)).rollout.state is State.PAUSED
    assert rollouts.roll_back(store, HERE, a_cause(BAKED)).rollout.state is State.ROLLED_BACK


def test_a_change_to_another_flag_is_no_reason_to_wait(store, lease, begin):
    begin(barrier="block")
    heard(store)
    flags.create_flag(store, "production", a_flag_document(key="another"), a_cause())

    landed = convergence(store, HERE, BAKED)

    assert landed["sentence"] == f"1 of 1 instance on version {landed['version']}"
    assert landed["version"] == current_versions(store)[0].version - 1
    assert look(store, lease).stage == 1


def test_convergence_tells_for_how_long_an_instance_is_behind(store, begin):
    begin()
    heard(store, at=NOW)
    at = NOW + timedelta(seconds=20)
    flags.disable_flag(store, HERE, a_cause(at))
    record = NOW + timedelta(seconds=55)
    heard(store, behind=1, at=record, sequence=2)

    landed = convergence(store, HERE, NOW + timedelta(seconds=60))

    assert landed["sentence"].endswith("1 is 40\u202fs behind")
    assert [each["behind_seconds"] for each in landed["behind"]] == [40.0]
    assert landed["since"] == at.isoformat()


def test_whoever_started_an_attempt_cannot_advance_past_the_second_person(store, begin):
    begin(two_person=True, stages=[{"percent": 1, "bake_seconds": 60, "approval": True}])

    with pytest.raises(Refused, match="wants a second person"):
        rollouts.advance(store, HERE, a_cause(BAKED))
