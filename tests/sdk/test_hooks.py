"""What hooks are told, and what the log says."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import throwbar
from tests.sdk.fake_control_plane import Clock
from throwbar.hooks import Hook, LogHook
from throwbar.testing import ControlPlane, forced


class Heard(Hook):
    """Writes down what it is told."""

    def __init__(self):
        self.said = []

    def decided(self, decision, key):
        self.said.append(("decided", decision.backend, str(decision.reason), key))

    def ended(self, outcome):
        assert outcome.seconds >= 0
        self.said.append(("ended", outcome.decision.backend, outcome.assigned_by, outcome.category, outcome.retries))

    def fell_back(self, outcome):
        self.said.append(("fell_back", outcome.decision.backend, outcome.category))

    def outcome_unknown(self, outcome):
        self.said.append(("outcome_unknown", outcome.decision.backend, outcome.category))

    def breaker_changed(self, change):
        self.said.append(("breaker_changed", change.backend, change.transition.event))


class Service:
    """An operation whose calls all go to the candidate, which raises what it is told to, in turn."""

    def __init__(self, *hooks):
        plane = ControlPlane()
        plane.set("orders", baseline="old", candidate="new", read=100)
        self.client = throwbar.Client("http://test", "t", transport=plane, backup_file=False, hooks=hooks)
        assert self.client.wait_ready(60)
        self.orders = self.client.migration("orders", baseline="old")
        self.errors = []

    def operation(self, **declared):
        operation = self.orders.operation("read", **declared)
        operation.baseline(lambda: "old")
        operation.candidate(self._candidate)
        return operation

    def _candidate(self):
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return "new"


@pytest.fixture
def service():
    made = []

    def make(*hooks):
        made.append(Service(*hooks))
        return made[-1]

    yield make
    for each in made:
        each.client.close(5)


QUICK = throwbar.Retry(attempts=2, base=0.001, cap=0.001)


def test_a_call_that_goes_well_is_a_decision_and_an_outcome(service):
    heard = Heard()

    assert service(heard).operation()(key="s1") == "new"

    assert heard.said == [("decided", "new", "share", "s1"), ("ended", "new", "share", None, 0)]


@pytest.mark.parametrize("deadline", [None, 5.0])
def test_every_way_a_call_can_go_is_told_in_order(service, deadline):
    heard = Heard()
    orders = service(heard)
    orders.errors = [ConnectionRefusedError(), None, *[ConnectionRefusedError()] * 2]
    read = orders.operation(kind=throwbar.READ, retry=QUICK, deadline=deadline)

    assert [read(key="s1"), read(key="s2")] == ["new", "old"]

    assert heard.said == [
        ("decided", "new", "share", "s1"),
        ("ended", "new", "share", None, 1),
        ("decided", "new", "share", "s2"),
        ("ended", "new", "share", "connection", 1),
        ("fell_back", "new", "connection"),
        ("ended", "old", "fallback", None, 0),
    ]


def test_a_lost_write_is_told_as_unknown(service):
    heard = Heard()
    orders = service(heard)
    orders.errors = [ConnectionResetError()]

    with pytest.raises(throwbar.OutcomeUnknown):
        orders.operation(kind=throwbar.WRITE)(key="s1")

    assert heard.said[1:] == [
        ("ended", "new", "share", "communication", 0),
        ("outcome_unknown", "new", "communication"),
    ]


def test_attempts_and_bare_decisions_are_told_too(service):
    heard = Heard()
    orders = service(heard).orders

    orders.decide("read", key="s1")
    with pytest.raises(ValueError, match="no"), orders.attempt("read", key="s2"):
        raise ValueError("no")

    assert heard.said == [
        ("decided", "new", "share", "s1"),
        ("decided", "new", "share", "s2"),
        ("ended", "new", "share", "application", 0),
    ]


def test_a_breaker_that_opens_is_told_once(service):
    heard = Heard()
    orders = service(heard)
    orders.errors = [ConnectionRefusedError() for _ in range(5)]
    read = orders.operation(kind=throwbar.READ, retry=None)

    for _ in range(7):
        assert read(key="s1") == "old"

    assert [word for word in heard.said if word[0] == "breaker_changed"] == [
        ("breaker_changed", "new", "breaker_opened")
    ]
    assert heard.said[-2:] == [("decided", "old", "circuit_open", "s1"), ("ended", "old", "breaker", None, 0)]


class Broken(Hook):
    def decided(self, decision, key):
        raise RuntimeError("the hook is broken")

    ended = decided


def test_a_broken_hook_harms_neither_the_call_nor_the_hooks_after_it(service, caplog):
    heard = Heard()
    orders = service(Broken(), heard)

    assert orders.operation()(key="s1") == "new"

    assert len(heard.said) == 2
    assert orders.client.status().internal_errors == 2
    assert sum("an error inside the SDK" in record.message for record in caplog.records) == 1


def test_a_forced_operation_tells_its_hooks_too(service):
    heard = Heard()
    read = service(heard).operation()

    with forced(to="baseline"):
        read(key="s1")

    assert ("decided", "old", "override", "s1") in heard.said


def test_the_log_gets_one_line_an_interval_with_the_number_left_out(service, caplog):
    clock = Clock(0.0)
    orders = service(LogHook(interval=60.0, clock=clock))
    read = orders.operation(kind=throwbar.READ, retry=None, breaker=None)
    caplog.set_level(logging.INFO, "throwbar.events")

    for _ in range(4):
        orders.errors = [ConnectionRefusedError()]
        read(key="s1")
    clock.tick(60.0)
    orders.errors = [ConnectionRefusedError()]
    read(key="s1")
    read(key="s1")

    lines = [record for record in caplog.records if record.name == "throwbar.events"]
    assert [line.getMessage() for line in lines] == [
        "orders/read: fallback at new: connection",
        "orders/read: fallback at new: connection, and 3 more since the last line",
    ]
    assert lines[1].throwbar["event"] == "fallback"
    assert lines[1].throwbar["more"] == 3


def test_retries_and_lost_writes_have_lines_of_their_own(service, caplog):
    orders = service(LogHook())
    caplog.set_level(logging.INFO, "throwbar.events")
    read = orders.operation(kind=throwbar.READ, retry=QUICK, fallback=False)
    orders.errors = [ConnectionRefusedError(), None, *[ConnectionRefusedError()] * 2]

    read(key="s1")
    with pytest.raises(ConnectionRefusedError):
        read(key="s1")
    orders.errors = [ConnectionResetError()]
    with pytest.raises(throwbar.OutcomeUnknown):
        orders.operation(kind=throwbar.WRITE)(key="s1")

    told = [
        (record.levelname, record.throwbar["event"]) for record in caplog.records if record.name == "throwbar.events"
    ]
    assert told == [("INFO", "retry_success"), ("WARNING", "retry_exhausted"), ("ERROR", "outcome_unknown")]


def test_a_change_of_a_breaker_is_a_structured_record_without_any_hook(service, caplog):
    orders = service()
    orders.errors = [ConnectionRefusedError() for _ in range(5)]
    read = orders.operation(kind=throwbar.READ, retry=None)
    caplog.set_level(logging.INFO, "throwbar")

    for _ in range(20):
        read(key="s1")

    (line,) = (record for record in caplog.records if hasattr(record, "throwbar"))
    assert json.loads(json.dumps(line.throwbar))["event"] == "breaker_opened"
    assert (line.throwbar["flag"], line.throwbar["backend"], line.throwbar["cause"]) == (
        "orders",
        "new",
        "hard_failures",
    )


def test_a_client_without_hooks_loads_none_of_this():
    program = (
        "import sys, throwbar; throwbar.Client(backup_file=False).migration('x').decide('y');"
        "print({'throwbar.hooks', 'throwbar.watched', 'opentelemetry'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_row_40_every_event_is_in_the_table_of_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()

    names = ["fallback", "retry_success", "retry_exhausted", "outcome_unknown", "feature_flag.evaluation"]
    names += [f"breaker_{change}" for change in ("opened", "closed", "reopened", "half_open", "would_open", "mode")]
    assert [name for name in names if f"`{name}`" not in page and f"`throwbar.{name}`" not in page] == []
