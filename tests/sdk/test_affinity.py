import json
import math
import subprocess
import sys
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import Clock
from throwbar.affinity import Affinity, AffinityMode, SessionWorkerUnavailable
from throwbar.errors import ConfigurationError
from throwbar.evidence import classify
from throwbar.rendezvous import contenders, ranking
from throwbar.seats import Assignment, Placement
from throwbar.taxonomy import Category

EIGHT = [f"worker-{number}" for number in range(8)]
SESSIONS = [f"session-{number}" for number in range(2_000)]
STRICT = [AffinityMode.STRICT_QUEUE, AffinityMode.STRICT_FAIL_FAST]

PROCESS = """
import json, sys, threading
sys.modules["random"] = None  # nothing of it is left to chance
import throwbar.affinity
affinity = throwbar.affinity.Affinity(json.loads(sys.argv[1]))
print(json.dumps([affinity.assign("session-of-a-customer").worker for _ in range(1000)]))
"""

UNBOUNDED_PROCESS = """
import json, sys
from throwbar.affinity import Affinity
affinity = Affinity(json.loads(sys.argv[1]), sys.argv[3])
sessions = [f"session-{number}" for number in range(50)] * 20
step = int(sys.argv[2])
for number in range(1000):
    affinity.assign(sessions[number * step % 1000])
print(json.dumps({session: affinity.assign(session).worker for session in sessions}))
"""

AFTER_A_FORK = """
import os, threading
from throwbar.affinity import Affinity
affinity = Affinity(["a", "b"])
affinity.assign("s")
with affinity._lock:
    child = os.fork()
    if child == 0:
        worker = []
        thread = threading.Thread(target=lambda: worker.append(affinity.assign("s")), daemon=True)
        thread.start()
        thread.join(20)
        os._exit(0 if worker == [Affinity(["a", "b"]).assign("s")] else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def workers_of(affinity: Affinity, sessions: list[str]) -> dict[str, str]:
    return {session: affinity.assign(session).worker for session in sessions}


def test_row_12_a_session_has_the_same_worker_over_a_thousand_calls_in_each_of_four_processes():
    orders = [EIGHT, EIGHT[::-1], EIGHT[3:] + EIGHT[:3], EIGHT[4:] + EIGHT[:4]]

    answers = [json.loads(run(PROCESS, json.dumps(order))) for order in orders]

    assert [len(answer) for answer in answers] == [1000] * 4
    assert len({worker for answer in answers for worker in answer}) == 1


@pytest.mark.parametrize("mode", STRICT)
def test_row_12_in_the_strict_modes_processes_agree_on_every_session_in_whatever_order_they_come(mode):
    answers = [json.loads(run(UNBOUNDED_PROCESS, json.dumps(EIGHT), step, mode)) for step in ("1", "7", "33", "101")]

    assert len(answers[0]) == 50
    assert answers[1:] == answers[:1] * 3


def test_the_homes_of_these_sessions_never_change():
    among = contenders(["a", "b", "c", "d"], {}, "")
    heavy = contenders(["a", "b", "c", "d"], {"d": 3.0}, "salt")

    assert ["".join(ranking(f"s{n}", among, weighted=False)) for n in range(4)] == ["bacd", "badc", "bcad", "acdb"]
    assert ["".join(ranking(f"s{n}", heavy, weighted=True)) for n in range(4)] == ["dcba", "abcd", "cbad", "cadb"]


@given(
    st.sets(st.text(min_size=1, max_size=8), min_size=2, max_size=9),
    st.lists(st.text(max_size=20), min_size=1, max_size=60),
    st.data(),
)
@settings(max_examples=100, deadline=None)
def test_row_13_removing_a_worker_moves_exactly_its_sessions(workers, sessions, data):
    gone = data.draw(st.sampled_from(sorted(workers)))
    affinity = Affinity(workers, load_factor=math.inf)
    before = workers_of(affinity, sessions)

    affinity.set_workers(workers - {gone})
    after = workers_of(affinity, sessions)

    assert {session for session in sessions if before[session] != after[session]} == {
        session for session in sessions if before[session] == gone
    }


def test_row_13_killing_one_of_eight_workers_moves_only_its_sessions_and_each_exactly_once():
    moved = []
    affinity = Affinity(EIGHT, on_move=moved.append)
    before = workers_of(affinity, SESSIONS)

    affinity.report_dead("worker-3")
    affinity.report_dead("worker-3")  # as the other calls that failed on it do
    first = {session: affinity.assign(session) for session in SESSIONS}
    second = {session: affinity.assign(session) for session in SESSIONS}

    its_own = [session for session in SESSIONS if before[session] == "worker-3"]
    assert len(its_own) > 150
    assert moved == its_own
    assert [session for session in SESSIONS if first[session].worker != before[session]] == its_own
    assert {first[session][1:] for session in its_own} == {(Placement.FAILOVER, "worker-3")}
    assert [second[session] for session in SESSIONS] == [first[s]._replace(moved_from=None) for s in SESSIONS]


def test_row_13_idle_expiry_refreshes_on_use():
    clock = Clock(0)
    affinity = Affinity(EIGHT, idle_seconds=300, clock=clock)
    affinity.assign("used")
    affinity.assign("idle")

    clock.tick(299)
    affinity.assign("used")
    clock.tick(299)

    assert sum(affinity.loads().values()) == 1
    assert affinity._seats.find("used", clock.now) is not None


@pytest.mark.parametrize("mode", STRICT)
def test_row_13_the_strict_modes_raise_once_then_name_the_new_worker(mode):
    moved = []
    affinity = Affinity(["a", "b"], mode, on_move=moved.append)
    old = affinity.assign("s").worker
    affinity.report_dead(old)

    with pytest.raises(SessionWorkerUnavailable) as raised:
        affinity.assign("s")
    told_before = list(moved)
    news = affinity.assign("s")

    assert raised.value.worker == old
    assert classify(raised.value).category is Category.SESSION
    assert (told_before, moved) == ([], ["s"])
    assert news == Assignment({"a": "b", "b": "a"}[old], Placement.FAILOVER, old)
    assert affinity.assign("s").moved_from is None


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from("acdr")), max_size=120), st.sampled_from([1.0, 1.25, 2]))
@settings(max_examples=150, deadline=None)
def test_whoever_gets_a_session_has_no_more_than_its_bound_of_them(events, factor):
    clock = Clock(0)
    affinity = Affinity(["o", "p", "q", "r"], load_factor=factor, weights={"q": 3.0}, clock=clock)
    weights = {worker.name: worker.weight for worker in affinity._members.workers.values()}
    for number, event in events:
        if event == "c":
            clock.tick(number)
        elif event == "d":
            affinity.report_dead(sorted(weights)[number % len(weights)])
        elif event == "r":
            affinity.report_alive(sorted(weights)[number % len(weights)])
        else:
            before = affinity._seats.find(str(number), clock.now)
            worker = before.assignment.worker if before else None
            try:
                got = affinity.assign(str(number)).worker
            except SessionWorkerUnavailable:
                assert all(w.dead for w in affinity._members.workers.values())
                continue
            if got != worker:
                loads = affinity.loads()
                living = [w for w in affinity._members.workers.values() if not w.dead or w.name == got]
                bound = factor * sum(loads.values()) * weights[got] / sum(w.weight for w in living)
                assert loads[got] <= math.ceil(bound * (1 + 1e-12))


def test_with_the_bound_of_a_quarter_the_fullest_of_eight_workers_has_at_most_that_more_than_its_part():
    affinity = Affinity(EIGHT)

    placements = Counter(affinity.assign(session).reason for session in SESSIONS)

    assert max(affinity.loads().values()) <= math.ceil(1.25 * len(SESSIONS) / 8)
    assert placements[Placement.HOME] > 0.9 * len(SESSIONS)
    assert placements[Placement.OVERFLOW] > 0


def test_the_session_that_comes_counts_when_the_parts_are_dealt():
    homes = {worker: [] for worker in "abcd"}
    for session in SESSIONS:
        homes[ranking(session, contenders("abcd", {}, ""), weighted=False)[0]].append(session)
    affinity = Affinity(["a", "b", "c", "d"], load_factor=1.25)
    for worker in "abc":
        affinity.assign(homes[worker][0])

    # 1.25 times a quarter of four sessions is more than one.
    assert affinity.assign(homes["a"][1]) == ("a", Placement.HOME, None)
    assert affinity.assign(homes["a"][2]).reason is Placement.OVERFLOW


def test_a_session_that_overflowed_stays_where_it_went_when_there_is_room_again():
    affinity = Affinity(["a", "b"], load_factor=1)
    first, second = [session for session in SESSIONS if Affinity(["a", "b"]).assign(session).worker == "a"][:2]
    affinity.assign(first)

    assert affinity.assign(second) == ("b", Placement.OVERFLOW, None)
    workers_of(affinity, SESSIONS)
    assert affinity.assign(second) == ("b", Placement.OVERFLOW, None)


def test_weights_share_the_sessions_out():
    affinity = Affinity(["light", "heavy"], weights={"heavy": 3.0}, load_factor=math.inf)

    loads = Counter(workers_of(affinity, SESSIONS).values())

    assert 0.72 < loads["heavy"] / len(SESSIONS) < 0.78


def test_raising_a_weight_moves_new_sessions_only_to_the_heavier_worker():
    among, heavier = contenders(EIGHT, {}, ""), contenders(EIGHT, {"worker-5": 1.5}, "")
    before = {session: ranking(session, among, weighted=False)[0] for session in SESSIONS}
    after = {session: ranking(session, heavier, weighted=True)[0] for session in SESSIONS}

    assert {after[session] for session in SESSIONS if after[session] != before[session]} == {"worker-5"}


def test_a_worker_that_returns_gets_one_new_session_to_try_and_the_moved_ones_stay():
    clock = Clock(0)
    affinity = Affinity(["a", "b"], clock=clock, load_factor=math.inf)
    its_own = [session for session, worker in workers_of(affinity, SESSIONS).items() if worker == "a"]
    affinity.report_dead("a")
    workers_of(affinity, its_own)
    news = [f"new-{n}" for n in range(300) if Affinity(["a", "b"], load_factor=1e9).assign(f"new-{n}").worker == "a"]

    clock.tick(59.9)
    early = affinity.assign(news[0])
    clock.tick(0.1)
    probe, meanwhile = affinity.assign(news[1]), affinity.assign(news[2])
    clock.tick(10)
    afterwards = affinity.assign(news[3])

    assert early == ("b", Placement.FAILOVER, None)
    assert (probe, meanwhile) == (("a", Placement.PROBE, None), ("b", Placement.FAILOVER, None))
    assert afterwards == ("a", Placement.HOME, None)
    assert set(workers_of(affinity, its_own).values()) == {"b"}


def test_a_probe_that_fails_taints_the_worker_again_and_moves():
    clock = Clock(0)
    affinity = Affinity(["a", "b"], clock=clock, load_factor=math.inf)
    probes = [session for session, worker in workers_of(affinity, SESSIONS).items() if worker == "a"]
    affinity = Affinity(["a", "b"], clock=clock, load_factor=math.inf)
    affinity.report_dead("a")
    clock.tick(60)
    assert affinity.assign(probes[0]).reason is Placement.PROBE

    affinity.report_dead("a")

    assert affinity.assign(probes[0]) == ("b", Placement.FAILOVER, "a")
    clock.tick(59)
    assert affinity.assign(probes[1]).worker == "b"


def test_a_worker_said_to_be_alive_gets_new_sessions_at_once():
    affinity = Affinity(["a", "b"], load_factor=math.inf)
    sessions = [session for session, worker in workers_of(affinity, SESSIONS).items() if worker == "a"]
    affinity = Affinity(["a", "b"], load_factor=math.inf)
    affinity.report_dead("a")
    affinity.report_alive("a")

    assert {affinity.assign(session) for session in sessions} == {Assignment("a", Placement.HOME)}


def test_a_session_that_slept_through_death_and_return_of_its_worker_is_told_that_its_state_is_gone():
    affinity = Affinity(["a"])
    affinity.assign("s")
    affinity.report_dead("a")
    affinity.report_alive("a")

    assert affinity.assign("s") == ("a", Placement.FAILOVER, "a")


def test_a_worker_that_left_and_came_back_has_lost_what_it_had():
    affinity = Affinity(["a", "b"])
    old = affinity.assign("s").worker
    affinity.set_workers(["z"])
    affinity.set_workers(["a", "b"])

    assert affinity.assign("s").moved_from == old


@pytest.mark.parametrize("mode", list(AffinityMode))
def test_without_a_living_worker_every_call_is_refused_until_one_is_back(mode):
    affinity = Affinity(["a", "b"], mode)
    old = affinity.assign("s").worker
    affinity.report_dead("a")
    affinity.report_dead("b")

    for session in ("s", "s", "new"):
        with pytest.raises(SessionWorkerUnavailable) as raised:
            affinity.assign(session)
        assert raised.value.worker is None
    affinity.report_alive("a")

    assert affinity.assign("new").worker == "a"
    if mode is not AffinityMode.HINT:
        with pytest.raises(SessionWorkerUnavailable):
            affinity.assign("s")
    assert affinity.assign("s") == ("a", Placement.FAILOVER, old)


def test_a_move_that_could_not_be_told_is_told_again_with_the_next_call():
    calls = []

    def rebuild(session):
        calls.append(session)
        if len(calls) == 1:
            raise RuntimeError("no state to be had")

    affinity = Affinity(["a", "b"], on_move=rebuild)
    old = affinity.assign("s").worker
    affinity.report_dead(old)

    with pytest.raises(RuntimeError, match="no state to be had"):
        affinity.assign("s")
    assert affinity.assign("s").moved_from == old
    assert affinity.assign("s").moved_from is None
    assert calls == ["s", "s"]


def test_other_sessions_are_served_while_one_is_being_moved():
    entered, leave, served = threading.Event(), threading.Event(), threading.Event()

    def rebuild(session):
        entered.set()
        assert leave.wait(20)

    affinity = Affinity(["a", "b"], on_move=rebuild)
    affinity.report_dead(affinity.assign("s").worker)
    mover = threading.Thread(target=affinity.assign, args=("s",))
    mover.start()
    assert entered.wait(20)
    other = threading.Thread(target=lambda: (affinity.assign("other"), served.set()))
    other.start()
    free = served.wait(20)
    leave.set()
    mover.join(20)
    other.join(20)

    assert free


def test_of_many_threads_exactly_one_hears_of_a_move():
    moved, heard = [], []
    affinity = Affinity(EIGHT, on_move=moved.append)
    affinity.report_dead(affinity.assign("s").worker)
    barrier = threading.Barrier(16)

    def call():
        barrier.wait(20)
        heard.append(affinity.assign("s"))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert moved == ["s"]
    assert sum(assignment.moved_from is not None for assignment in heard) == 1
    assert len({assignment.worker for assignment in heard}) == 1


def test_no_more_sessions_are_remembered_than_asked_for_and_the_longest_unused_goes_first():
    affinity = Affinity(EIGHT, max_sessions=3)
    for session in ("first", "second", "third", "first", "fourth"):
        affinity.assign(session)

    assert sum(affinity.loads().values()) == 3
    assert [affinity._seats.peek(s) is not None for s in ("first", "second", "third", "fourth")] == [1, 0, 1, 1]


def test_after_a_fork_the_child_waits_for_no_lock_of_its_parent():
    run(AFTER_A_FORK)


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": []},
        {"workers": "abc"},
        {"workers": ["a", "a"]},
        {"workers": ["a", ""]},
        {"mode": "sticky"},
        {"load_factor": 0.9},
        {"load_factor": math.nan},
        {"weights": {"z": 1.0}},
        {"weights": {"a": 0.0}},
        {"weights": {"a": math.inf}},
        {"idle_seconds": 0},
        {"capacity": 0},
        {"capacity": 1.5},
        {"max_sessions": 0},
    ],
    ids=str,
)
def test_what_cannot_be_obeyed_is_refused_at_once(wrong):
    with pytest.raises(ConfigurationError):
        Affinity(**{"workers": ["a", "b"], **wrong})


def test_a_coroutine_function_cannot_hear_of_moves():
    async def rebuild(session): ...

    with pytest.raises(ConfigurationError, match="moved_from"):
        Affinity(["a"], on_move=rebuild)
