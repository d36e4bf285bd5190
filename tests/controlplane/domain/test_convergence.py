from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.convergence import GONE_AFTER, SILENT_AFTER, Barrier, Process, Target, fleet_of
from controlplane.domain.rollout import Decision, Step, at_the_barrier
from tests.builders import NOW, a_plan

SECOND = timedelta(seconds=1)
TARGET = Target("s", 41, NOW - 40 * SECOND)
ADVANCE = Decision(Step.ADVANCE, "stage 1 of 4 has baked")


def a_process(name="bridge-1", version=41, *, source="s", age=SECOND, born=timedelta(days=1)):
    return Process(name, source, version, NOW - born, NOW - age)


def a_fleet(*processes):
    return fleet_of(processes, TARGET, NOW)


def test_the_sentence_counts_who_obeys_and_says_how_long_the_others_are_behind():
    landed = [a_process(f"bridge-{number}") for number in range(48)]

    fleet = a_fleet(*landed, a_process("old-1", 40), a_process("old-2", 7))

    assert fleet.sentence == "48 of 50 instances on version 41; 2 are 40\u202fs behind"


@pytest.mark.parametrize(
    ("processes", "sentence"),
    [
        ([], "no instance reports"),
        ([a_process()], "1 of 1 instance on version 41"),
        ([a_process(version=99)], "1 of 1 instance on version 41"),
        ([a_process(source="before the restore", version=99)], "0 of 1 instance on version 41; 1 is 40\u202fs behind"),
        ([a_process(age=31 * SECOND)], "1 of 1 instance on version 41; 1 is silent"),
        (
            [a_process("a", 40), a_process("b", 40, born=5 * SECOND)],
            "0 of 2 instances on version 41; 2 are up to 40\u202fs behind",
        ),
    ],
)
def test_each_fleet_is_told_in_one_sentence(processes, sentence):
    assert a_fleet(*processes).sentence == sentence


def test_who_fell_silent_before_obeying_is_waited_for_until_it_counts_as_gone():
    assert a_fleet(a_process(version=40, age=GONE_AFTER - SECOND)).obstacle
    assert a_fleet(a_process(version=40, age=GONE_AFTER)).obstacle is None


def test_an_obstacle_names_three_and_counts_the_rest():
    fleet = a_fleet(*(a_process(f"old-{number}", 40) for number in range(5)))

    assert fleet.obstacle == (
        "5 of 5 instances do not obey version 41 yet, 40\u202fs behind: old-0, old-1, old-2 and 2 more"
    )


@pytest.mark.parametrize(
    ("barrier", "step", "because"),
    [
        (Barrier.BLOCK, Step.WAIT, "waits for every live instance: 1 of 1 instance does not obey version 41 yet"),
        (Barrier.WARN, Step.ADVANCE, "stage 1 of 4 has baked, although 1 of 1 instance does not obey"),
        (Barrier.OFF, Step.ADVANCE, "stage 1 of 4 has baked"),
    ],
)
def test_a_barrier_blocks_or_warns_or_does_not_look(barrier, step, because):
    plan = _with_barrier(barrier)

    decision = at_the_barrier(ADVANCE, plan, a_fleet(a_process(version=40)))

    assert decision.step is step
    assert decision.because.startswith(because)


@pytest.mark.parametrize("step", [each for each in Step if each is not Step.ADVANCE])
def test_nothing_but_advancing_knows_a_barrier(step):
    decision = Decision(step, "a sentence")

    assert at_the_barrier(decision, _with_barrier(Barrier.BLOCK), a_fleet(a_process(version=40))) is decision


PROCESSES = st.builds(
    a_process,
    st.text(min_size=1, max_size=5),
    st.integers(39, 43),
    source=st.sampled_from("st"),
    age=st.timedeltas(timedelta(0), 2 * GONE_AFTER),
    born=st.timedeltas(timedelta(0), timedelta(days=2)),
)


@given(st.lists(PROCESSES, max_size=8), st.sampled_from(Barrier))
def test_a_blocked_stage_is_entered_exactly_when_no_live_process_is_behind(processes, barrier):
    live = [each for each in processes if NOW - each.last_seen_at < GONE_AFTER]
    behind = [each for each in live if (each.source, each.version >= 41) != ("s", True)]

    fleet = a_fleet(*processes)
    decision = at_the_barrier(ADVANCE, _with_barrier(barrier), fleet)

    assert fleet.size == len(live)
    assert (decision.step is Step.WAIT) == (barrier is Barrier.BLOCK and bool(behind))
    assert set(fleet.silent) == {each for each in live if NOW - each.last_seen_at > SILENT_AFTER}


def _with_barrier(barrier):
    return replace(a_plan(), barrier=barrier)
