"""Whether keys stay on their side, as a process sees it: by sums of buckets, and by real calls."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import CONTRACT, Clock, PerfClock
from tests.sdk.routing import Service, raising
from throwbar import stayed as stayed_module
from throwbar.harvest import UNTIMED, Identity, Sum, settle
from throwbar.memory import Memories, drawn_first
from throwbar.outbox import Outbox
from throwbar.pins import Pins
from throwbar.report import Sender, cell_document
from throwbar.snapshot import compile_snapshot, parse
from throwbar.stayed import Stayed
from throwbar.tally import Tally

RULES = (object(),)


def seen(side, assigned_by, *keys, start=0, share=5000, attempt=1, rules=(), operation="read", slot=10):
    identity = Identity("orders", operation, side, side, attempt, assigned_by, share, start)
    return Sum(identity, len(keys), 0, {}, {}, dict.fromkeys(keys, slot), set(), 0, rules=rules)


def strayed(*flushes):
    """How many keys went astray in each flush; sums of one flush come together."""
    stayed = Stayed()
    return [sum(stayed.strayed(sums if isinstance(sums, list) else [sums]).values()) for sums in flushes]


def test_a_key_that_a_rule_sends_to_either_side_by_its_attributes_strays_once():
    found = strayed(
        seen("candidate", "rule", "a", "b", rules=RULES),
        seen("baseline", "share", "a", start=10, rules=RULES),
        seen("candidate", "rule", "a", start=20, rules=RULES),
    )

    assert found == [0, 1, 0]


def test_a_session_that_leaves_its_pin_and_comes_back_strays():
    assert strayed(
        seen("baseline", "pin", "a"), seen("candidate", "share", "a", start=10), seen("baseline", "pin", "a", start=20)
    ) == [0, 0, 1]


def test_a_session_whose_pin_ended_comes_home():
    assert strayed(seen("baseline", "pin", "a"), seen("candidate", "share", "a", start=10)) == [0, 0]
    in_one_bucket = [seen("candidate", "share", "a"), seen("baseline", "pin", "a")]
    assert strayed(in_one_bucket) == [0]


@pytest.mark.parametrize("other", [{"share": 10_000}, {"attempt": 2}, {"rules": (object(),)}, {"operation": "write"}])
def test_another_share_attempt_operation_or_set_of_rules_is_another_story(other):
    pinned = seen("baseline", "pin", "z", rules=RULES)
    first = seen("candidate", "rule", "a", start=10, rules=RULES)
    second = seen("baseline", "rule", "a", start=20, **{"rules": RULES, **other})

    assert strayed(pinned, first, second) == [0, 0, 0]


def test_a_bucket_in_which_the_rules_changed_is_passed_over():
    assert strayed(
        seen("candidate", "rule", "a", rules=RULES),
        seen("baseline", "rule", "a", start=10, rules=None),
        seen("baseline", "rule", "a", start=20, rules=RULES),
    ) == [0, 0, 0]


@pytest.mark.parametrize("why", ["fallback", "breaker", "probe", "disabled", "override", "shadow", "default"])
def test_what_moves_keys_for_a_reason_of_its_own_is_not_looked_at(why):
    stayed = Stayed()
    stayed.strayed([seen("candidate", "rule", "a", rules=RULES)])

    assert stayed.strayed([seen("baseline", why, "a", start=10, rules=RULES)]) == {}


def test_a_key_that_was_never_let_through_was_served_by_nobody():
    refused = seen("candidate", "rule", "a", rules=RULES, slot=UNTIMED)

    assert strayed(refused, seen("baseline", "share", "a", start=10, rules=RULES)) == [0, 0]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(stayed_module, "KEYS_PER_WATCH", 2)
    monkeypatch.setattr(stayed_module, "WATCHES", 2)
    stayed = Stayed()

    stayed.strayed([seen("candidate", "rule", *"abcdef", rules=RULES)])
    assert sum(stayed.strayed([seen("baseline", "rule", *"abcdef", start=10, rules=RULES)]).values()) == 2
    for operation in "xyz":
        stayed.strayed([seen("candidate", "rule", "a", operation=operation, rules=RULES)])
    assert len(stayed._watches) == 2


@given(
    st.lists(
        st.tuples(st.sampled_from(["share", "pin", "rule"]), st.sampled_from("abcdefgh"), st.integers(0, 3)),
        max_size=40,
    )
)
def test_keys_that_always_go_to_one_side_never_stray(calls):
    sums = [seen("candidate" if key < "e" else "baseline", by, key, start=10 * start) for by, key, start in calls]

    assert sum(Stayed().strayed(sums).values()) == 0


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def told(service):
    service.cells()
    return {(cell["side"], cell["assigned_by"]): cell.get("strayed_keys") for cell in service.server.cells}


def test_calls_of_a_share_are_told_to_have_stayed(service):
    service.serve(50_000)
    read = service.operation(raising())
    for number in range(20):
        read(key=f"k{number}")

    assert told(service) == {("baseline", "share"): 0, ("candidate", "share"): 0}


def test_sessions_whose_pins_were_out_of_reach_for_a_while_are_told_to_have_strayed(service):
    store = Flaky()
    service.serve(0)
    read = service.operation(raising(), pins=Pins(store, clock=service.clock))
    keys = [f"k{number}" for number in range(10)]
    call_each(read, keys)
    service.serve(100_000)  # the sessions stay at the baseline, where they began
    call_each(read, keys)
    service.cells()
    store.broken = True
    call_each(read, keys)
    service.cells()
    store.broken = False
    service.clock.tick(60)
    call_each(read, keys)

    assert told(service)["baseline", "pin"] == 10


class Flaky:
    """A store of pins that may be out of reach."""

    def __init__(self):
        self.pins, self.broken = {}, False

    def get(self, name, idle_seconds):
        if self.broken:
            raise ConnectionError("the store is away")
        return self.pins.get(name)

    def set(self, name, value, idle_seconds):
        self.pins[name] = value

    def delete(self, name):
        self.pins.pop(name, None)


def call_each(operation, keys):
    for key in keys:
        operation(key=key)


def test_the_published_report_of_a_key_that_strayed_is_what_these_calls_come_to():
    clock, perf = Clock(1_790_000_000.0), PerfClock()
    tally, stayed = Tally(clock, perf), Stayed()
    plan = compile_snapshot(parse((CONTRACT / "snapshot.json").read_bytes())).flags["dspex-bridge"].plan("echo")
    memories = Memories(tally.thinning)
    outbox = Outbox()

    def bucket(*calls):
        for choice, key in calls:
            token = tally.begin(choice, key)
            perf.now += 20_000_000
            tally.end(token, None)
        clock.tick(10)
        sums = settle(tally, clock(), 10.0)
        known = stayed.strayed(sums)
        return [cell_document(each, memories.learn(each), known.get(each.identity)) for each in drawn_first(sums)]

    cells = bucket((plan.by_rule_candidate, "a"), (plan.by_rule_candidate, "b"))
    cells += bucket((plan.by_rule_baseline, "a"), (plan.by_share_baseline, "c"), (plan.by_fallback, "b"))
    outbox.put(Sender("0d9f6f7c5c2b4e1aa3a1", "bridge-api", "5f2c9a4be01d7736", 41), 1_790_000_020.5, cells)

    assert json.loads(outbox.first.body) == json.loads((CONTRACT / "report_strayed.json").read_text())
