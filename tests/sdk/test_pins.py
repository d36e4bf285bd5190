import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import Clock, a_document, a_flag, a_share
from throwbar.decision import Reason, decide
from throwbar.errors import ConfigurationError
from throwbar.pin_store import MemoryPinStore
from throwbar.pins import Pins
from throwbar.plan import FlagPlan

CANDIDATE, BASELINE = ("candidate", "pin"), ("baseline", "pin")


def a_plan(share=50_000, *, operation="read", overrides=None, **changes):
    flag = a_flag(operations={name: a_share(share)["read"] for name in ("read", "write")}) | changes
    return FlagPlan("orders", flag, overrides or {}).plan(operation)


def serve(pins, plan, key="s"):
    choice = pins(plan, decide(plan, key), key)
    return choice.side, choice.reason


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pins(clock):
    return Pins(now=clock, clock=clock)


class FailingStore:
    def __init__(self, error=None):
        self.error = error or ConnectionError("nobody there")
        self.asked = 0

    def get(self, name, ttl_seconds):
        self.asked += 1
        raise self.error

    set = delete = get


class NotingStore(MemoryPinStore):
    def __init__(self, clock):
        super().__init__(clock=clock)
        self.noted = []

    def get(self, name, ttl_seconds):
        self.noted.append(("get", name))
        value = super().get(name, ttl_seconds)
        return value and value.encode()  # as clients of Redis do

    def set(self, name, value, ttl_seconds):
        self.noted.append(("set", value))
        super().set(name, value, ttl_seconds)


def test_a_session_stays_on_the_backend_where_it_began_when_the_share_changes(pins):
    assert serve(pins, a_plan(0)) == ("baseline", "share")
    assert serve(pins, a_plan(100_000), "t") == ("candidate", "share")

    assert serve(pins, a_plan(100_000)) == BASELINE
    assert serve(pins, a_plan(1), "t") == CANDIDATE


def test_a_pin_is_stronger_than_a_rule(pins):
    rule = {"attribute": "key", "operator": "in", "values": ["s"], "serve": "candidate"}
    serve(pins, a_plan(0))

    assert serve(pins, a_plan(0, rules=[rule])) == BASELINE
    assert serve(pins, a_plan(0, rules=[rule | {"values": ["t"]}]), "t") == ("candidate", "rule")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"enabled": False}, Reason.DISABLED),
        ({"rolled_back": True}, Reason.ROLLED_BACK),
        ({"operations": a_share(50_000, rolled_back=True)}, Reason.ROLLED_BACK),
        ({"operations": a_share(0)}, Reason.SHARE),
    ],
    ids=["disabled", "rolled back", "operation rolled back", "0 %"],
)
def test_the_brake_is_stronger_than_a_pin_unless_sessions_are_drained(changes, reason, clock):
    overridden, drained = Pins(now=clock, clock=clock), Pins(now=clock, clock=clock, on_rollback="drain")
    for pins in (overridden, drained):
        serve(pins, a_plan(100_000))
    braked = a_plan(**changes)

    assert serve(overridden, braked) == ("baseline", reason)
    assert serve(drained, braked) == CANDIDATE
    assert serve(drained, braked, "new") == ("baseline", reason)


def test_a_brake_does_not_wait_for_the_store(clock):
    store = NotingStore(clock)
    pins = Pins(store, now=clock, clock=clock)

    for plan in (a_plan(rolled_back=True), a_plan(enabled=False)):
        serve(pins, plan)

    assert store.noted == []


def test_only_sessions_that_are_drained_are_kept_from_an_open_breaker(clock):
    overridden, drained = Pins(now=clock, clock=clock), Pins(now=clock, clock=clock, on_rollback="drain")
    plan = a_plan(100_000)

    kept = [
        (pins.keeps_from_breaker(pins(plan, decide(plan, "s"), "s")), pins.keeps_from_breaker(decide(plan, "s")))
        for pins in (overridden, drained)
        if serve(pins, plan)
    ]

    assert kept == [(False, False), (True, False)]
    assert not drained.keeps_from_breaker(plan.by_pin_baseline)


@pytest.mark.parametrize("on_rollback", ["override", "drain"])
def test_a_local_override_an_operation_off_the_list_a_call_without_key_and_the_switch_are_stronger(on_rollback, clock):
    pins = Pins(now=clock, clock=clock, on_rollback=on_rollback, scope="flag")
    serve(pins, a_plan(100_000))

    assert serve(pins, a_plan(overrides={"orders": "baseline"})) == ("baseline", "override")
    assert serve(pins, a_plan(operation="other")) == ("baseline", "operation_not_listed")
    assert serve(pins, a_plan(50_000), None) == ("baseline", "no_key")
    assert serve(pins, a_plan(0, switches={"affinity": False})) == ("baseline", "share")


def test_operations_are_pinned_by_themselves_or_by_flag(clock):
    for scope, expected in (("operation", ("baseline", "share")), ("flag", CANDIDATE)):
        pins = Pins(now=clock, clock=clock, scope=scope)
        serve(pins, a_plan(100_000))

        assert serve(pins, a_plan(1, operation="write")) == expected


def test_row_13_idle_expiry_of_a_pin_refreshes_on_use(pins, clock):
    serve(pins, a_plan(100_000))
    for _ in range(5):
        clock.tick(299)
        assert serve(pins, a_plan(1)) == CANDIDATE

    clock.tick(300)

    assert serve(pins, a_plan(1)) == ("baseline", "share")


def test_however_busy_a_session_is_its_pin_ends_after_a_day(pins, clock):
    serve(pins, a_plan(100_000))
    for _ in range(24 * 60 - 1):
        clock.tick(60)
        assert serve(pins, a_plan(1)) == CANDIDATE

    clock.tick(60)

    assert serve(pins, a_plan(1)) == ("baseline", "share")
    assert serve(pins, a_plan(100_000)) == BASELINE


def test_a_store_that_fails_costs_the_pin_and_nothing_else(clock, caplog):
    store = FailingStore()
    pins = Pins(store, now=clock, clock=clock)

    with caplog.at_level(logging.WARNING, "throwbar"):
        answers = []
        for _ in range(3):
            answers.append(serve(pins, a_plan(100_000)))
            clock.tick(60)

    assert answers == [("candidate", "share")] * 3
    assert pins.store_errors == 3
    assert len(caplog.records) == 1


def test_a_store_that_fails_is_left_alone_for_longer_and_longer(clock):
    store = FailingStore()
    pins = Pins(store, now=clock, clock=clock)

    asked = []
    for second in range(100):
        before = store.asked
        serve(pins, a_plan(), f"key-{second}")
        asked += [second] * (store.asked - before)
        clock.tick(1)

    assert asked == [0, 1, 3, 7, 15, 31, 61, 91]


def test_an_interrupt_in_the_store_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        serve(Pins(FailingStore(KeyboardInterrupt())), a_plan())


@pytest.mark.parametrize("nonsense", ["", "candidate", "candidate now", "elsewhere 1", "candidate -1", "\ud800"])
def test_what_is_no_pin_is_overwritten(nonsense, clock):
    store = MemoryPinStore(clock=clock)
    pins = Pins(store, now=clock, clock=clock)
    serve(pins, a_plan(100_000))
    (name,) = store._kept
    store.set(name, nonsense, 300)

    assert serve(pins, a_plan(0)) == ("baseline", "share")
    assert serve(pins, a_plan(100_000)) == BASELINE
    assert pins.store_errors == 0


def test_two_processes_with_a_shared_store_keep_a_session_together(clock):
    store = NotingStore(clock)
    first, second = Pins(store, now=clock, clock=clock), Pins(store, now=clock, clock=clock)

    serve(first, a_plan(100_000), "customer@example.com")

    assert serve(second, a_plan(1), "customer@example.com") == CANDIDATE
    assert "customer" not in repr(store.noted)


def test_the_store_of_a_process_is_bounded_and_forgets_what_was_unused_for_longest(clock):
    store = MemoryPinStore(3, clock)
    for name in ("a", "b", "c"):
        store.set(name, name, 300)
    store.get("a", 300)

    store.set("d", "d", 300)

    assert [store.get(name, 300) for name in "abcd"] == ["a", None, "c", "d"]
    assert len(store) == 3


@given(st.lists(st.tuples(st.sampled_from("stuv"), st.integers(0, 100_000), st.integers(0, 299)), max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_session_changes_sides_while_it_is_used_and_the_share_is_above_0(events):
    clock = Clock()
    pins = Pins(now=clock, clock=clock)
    began, used = {}, {}
    for key, share, seconds in events:
        clock.tick(seconds)
        if clock.now - used.get(key, clock.now) >= 300:
            del began[key]
        side = serve(pins, a_plan(max(share, 1)), key)[0]
        used[key] = clock.now
        assert began.setdefault(key, side) == side


@pytest.mark.parametrize(
    "wrong", [{"on_rollback": "stay"}, {"scope": "call"}, {"idle_seconds": 0}, {"max_seconds": float("nan")}], ids=str
)
def test_what_cannot_be_obeyed_is_refused_at_once(wrong):
    with pytest.raises(ConfigurationError):
        Pins(**wrong)


def test_row_12_calls_of_a_pinned_session_go_where_it_began_until_somebody_rolls_back(client, server):
    read = client.migration("orders").operation("read", pins=Pins())
    read.baseline(lambda: "baseline")
    read.candidate(lambda: "candidate")

    answers = []
    for version, changes in enumerate(
        [
            {"operations": a_share(100_000)},
            {"operations": a_share(1)},
            {"operations": a_share(1), "rolled_back": True},
            {"operations": a_share(1)},
        ],
        start=1,
    ):
        server.document = a_document(version, flags={"orders": a_flag(**changes)})
        assert client.wait_ready(20)
        assert client.flush(20)
        answers.append({read(key="s") for _ in range(1_000)})

    assert answers == [{"candidate"}, {"candidate"}, {"baseline"}, {"candidate"}]


def test_a_shared_store_that_fails_shows_in_the_status_and_fails_no_call(client, server):
    server.document = a_document(flags={"orders": a_flag(operations=a_share(100_000) | {"write": {"share": 100_000}})})
    assert client.wait_ready(20)
    pins = Pins(FailingStore())
    orders = client.migration("orders")
    read, write = (orders.operation(name, pins=pins) for name in ("read", "write"))
    orders.operation("unpinned")
    for operation in (read, write):
        operation.baseline(lambda: "baseline")
        operation.candidate(lambda: "candidate")
    assert client.status().pin_store_errors == 0

    assert [read(key="s"), write(key="s")] == ["candidate", "candidate"]

    assert client.status().pin_store_errors == 1  # after which the store is left alone for a while
