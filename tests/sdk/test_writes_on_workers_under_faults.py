"""Blocks of `attempt`, and writes on the workers of a session: the paths that the lives of a `World` do not take."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import throwbar
from tests.sdk.routing import Service

MODES = st.sampled_from(["auto", "forced_open", "forced_closed", "metrics_only"])
# What comes of an attempt, and whether the store has been written by then.
FAULTS = st.sampled_from(
    [
        (None, True),
        (ConnectionResetError, True),
        (ConnectionResetError, False),
        (ConnectionRefusedError, False),
        (ValueError, True),
    ]
)


class Store:
    """Two backends, each with workers; it knows what was done where."""

    def __init__(self):
        self.done = Counter()
        self.tried = []

    def write(self, backend, worker, fault):
        error, written = fault
        self.tried.append(backend)
        self.done[backend] += written
        if error is not None:
            raise error("by the backend")
        return backend, worker


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(MODES, st.integers(0, 3), FAULTS), min_size=1, max_size=12))
def test_a_block_runs_once_and_its_exception_stays_what_it_is(calls):
    service, store = Service(), Store()

    for mode, session, fault in calls:
        service.serve(breaker={"mode": mode})
        tried = len(store.tried)
        try:
            with service.orders.attempt("read", key=f"s{session}") as attempt:
                store.write(attempt.backend, "w", fault)
        except (OSError, ValueError) as error:
            raised = error
            assert type(raised) is fault[0]
        else:
            assert fault[0] is None
        assert len(store.tried) == tried + 1

    kept_away = ("breaker", "cancelled")
    cells = service.cells().values()
    assert sum(each["calls"] - sum(each["errors"].get(name, 0) for name in kept_away) for each in cells) == len(calls)
    service.client.close()


@pytest.mark.parametrize("mode", ["hint", "strict_queue", "strict_fail_fast"])
@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(MODES, st.integers(0, 3), st.lists(FAULTS, min_size=5, max_size=5), st.none() | st.integers(0, 2)),
        min_size=1,
        max_size=10,
    )
)
def test_a_write_on_the_worker_of_its_session_is_done_once_at_most(mode, calls):
    service, store = Service(), Store()
    workers = throwbar.Affinity(["w0", "w1", "w2"], mode, capacity=1)
    faults = []

    def on_a_worker(session):
        with workers.lease(session, timeout=0) as assignment:
            return store.write("new", assignment.worker, faults.pop(0))

    operation = service.operation(
        on_a_worker,
        lambda session: store.write("old", session, faults.pop(0)),
        kind=throwbar.WRITE,
        retry=throwbar.Retry(base=0.0),
    )
    for switch, session, planned, dead in calls:
        service.serve(breaker={"mode": switch})
        if dead is not None:
            workers.report_dead(f"w{dead}")
        faults[:] = planned
        store.done.clear()
        try:
            operation(f"s{session}", key=f"s{session}")
        except (OSError, ValueError, throwbar.ThrowbarError):
            pass
        else:
            assert store.done.total() == 1

        assert store.done.total() <= 1, (switch, planned)
    service.client.close()
