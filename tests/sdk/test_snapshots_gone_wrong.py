"""Whatever comes in a snapshot's place: nothing reaches the host, calls go on, and the next good one is obeyed.

The published example is broken in every field, at every byte, and at random; the long run: `make soak`.
"""

import contextlib
import copy
import json
import logging
import math
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import throwbar
from tests.sdk.fake_control_plane import CONTRACT, Clock, FakeControlPlane
from tests.sdk.routing import refused

EXAMPLES = 20_000 if os.environ.get("LONG_TESTS") else 100
LENIENT = settings(suppress_health_check=list(HealthCheck), max_examples=EXAMPLES)
GOLDEN = json.loads((CONTRACT / "snapshot.json").read_text())
FLAG = next(iter(GOLDEN["flags"]))
OPERATIONS = [*GOLDEN["flags"][FLAG]["operations"], "unlisted"]
WRONG = [
    *(None, True, False, 0, -1, 3, 10**30, 0.5, 1e300, math.nan, math.inf, -math.inf),
    *("", "x", "\ud800", "a\r\nb: c", "\x00", [], {}, [None], [[]], {"a": 1}),
]


def places(value, path=()):
    """Where something can be wrong: the path of each value in the document, the document's own among them."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from places(item, (*path, name))


PLACES = list(places(GOLDEN))


def broken(path, change):
    """The example, newer than what is in force, with one place changed by `change(container, name)`."""
    document = copy.deepcopy(GOLDEN) | {"version": GOLDEN["version"] + 1}
    *above, name = path
    container = document
    for step in above:
        container = container[step]
    change(container, name)
    return document


def replaced_by(value):
    return lambda container, name: container.__setitem__(name, value)


def removed(container, name):
    del container[name]


def renamed(container, name):
    if isinstance(container, dict):
        container[f"{name}?"] = container.pop(name)


class Fleet:
    """One service, told one thing after the other by its control plane."""

    def __init__(self, **settings):
        self.told = 0
        self.server = FakeControlPlane(GOLDEN)
        self.server.on_request = self.check_headers
        self.clock = Clock()
        settings = {"backup_file": False} | settings
        self.client = throwbar.Client(
            *("http://throwbar.test", "token"),
            service="shop",
            poll_interval=3600,
            report_interval=3600,
            transport=self.server,
            wall_clock=self.clock,
            **settings,
        )
        self.bridge = self.client.migration(FLAG, baseline="python_pool_v2")
        self.operations = {name: self.operation(name) for name in OPERATIONS}

    def operation(self, name):
        operation = self.bridge.operation(name, kind=throwbar.READ, deadline=30.0, retry=throwbar.Retry(base=0.0))
        turns = iter(range(1 << 30))
        operation.baseline(lambda: "old")

        @operation.candidate
        def _():
            if next(turns) % 2:
                raise refused()
            return "new"

        return operation

    def check_headers(self):
        for value in self.server.requests[-1][1].values():
            assert value.isprintable()
            value.encode("latin-1")

    def start(self):
        assert self.client.wait_ready(60)
        return self

    def is_told(self, body):
        """The next poll brings this, and comes at once, since the answer to a report names something new."""
        self.told += 1
        self.server.body, self.server.document = body, GOLDEN | {"source": f"announced {self.told}"}
        assert self.client.flush(30)
        return not self.client.status().last_error

    def is_told_well(self):
        """The control plane has recovered, as another one: of the same one a version too high stays."""
        self.told += 1
        self.server.body, self.server.document = None, GOLDEN | {"source": f"recovered {self.told}"}
        assert self.client.flush(30)
        status = self.client.status()
        assert (status.source, status.last_error) == (f"recovered {self.told}", "")
        assert self.bridge.decide("simple_predict", key="k", attributes={"tenant": "acme"}).candidate

    def serves(self):
        """Every way to route a call answers, and nothing of ours went wrong on the way."""
        for name, operation in self.operations.items():
            for key in ("k1", "k2", "k3", None):
                with contextlib.suppress(ConnectionRefusedError):  # the candidate's own, with the budget spent
                    assert operation(key=key, attributes={"tenant": "acme"}) in {"old", "new"}
            assert isinstance(self.bridge.decide(name, key="k").backend, str)
            with self.bridge.attempt(name, key="k"):
                pass
        assert self.client.status().internal_errors == 0

    def reports(self):
        self.clock.tick(4_000)
        assert self.client.flush(30)
        assert any(report["cells"] for report in self.server.reports)
        for report in self.server.reports:
            json.dumps(report, allow_nan=False)
        self.server.reports.clear()
        self.server.requests.clear()


@pytest.fixture
def fleet(caplog):
    caplog.set_level(logging.CRITICAL, "throwbar")
    fleet = Fleet().start()
    yield fleet
    fleet.client.close()


def survives(fleet, document):
    """Tell it; it is obeyed or refused with a sentence, as a whole; then the next good one is."""
    before = fleet.client.status()
    applied = fleet.is_told(json.dumps(document).encode())
    after = fleet.client.status()
    if applied:
        assert (after.last_error, after.failures) == ("", {})
    else:
        assert (after.source, after.version) == (before.source, before.version)
        assert after.last_error.startswith("the snapshot was not applied: ")
        assert after.failures["polling"] > before.failures.get("polling", 0)
    fleet.serves()
    fleet.reports()
    fleet.is_told_well()
    return applied


@pytest.mark.parametrize("path", PLACES[1:], ids=lambda path: ".".join(map(str, path)))
def test_one_wrong_field_is_read_or_refused_and_never_half_obeyed(fleet, path):
    for change in (removed, renamed, *(replaced_by(value) for value in WRONG)):
        survives(fleet, broken(path, change))


@pytest.mark.parametrize("document", WRONG, ids=repr)
def test_what_is_no_snapshot_at_all_is_refused(fleet, document):
    assert not survives(fleet, document)


def test_an_example_that_is_cut_short_is_refused_wherever_it_ends(fleet):
    body = json.dumps(GOLDEN | {"version": GOLDEN["version"] + 1}).encode()
    for length in range(len(body)):
        assert not fleet.is_told(body[:length])

    assert fleet.client.status().failures["polling"] >= len(body)
    fleet.serves()
    assert fleet.is_told(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(PLACES[1:]), JSON), min_size=1, max_size=4))
@LENIENT
@pytest.mark.soak
def test_several_wrong_fields_are_no_worse(fleet, wrong):
    document = copy.deepcopy(GOLDEN) | {"version": GOLDEN["version"] + 1}
    for path, value in wrong:
        *above, name = path
        container = document
        for step in above:
            inside = isinstance(container, dict) and step in container
            inside = inside or (isinstance(container, list) and isinstance(step, int) and step < len(container))
            container = container[step] if inside else None
        if isinstance(container, dict) or (
            isinstance(container, list) and isinstance(name, int) and name < len(container)
        ):
            container[name] = value

    survives(fleet, document)


@given(st.data())
@LENIENT
@pytest.mark.soak
def test_bytes_that_were_damaged_on_the_way_are_no_worse(fleet, data):
    body = bytearray(json.dumps(GOLDEN | {"version": GOLDEN["version"] + 1}).encode())
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
        body[place] = data.draw(st.integers(0, 255))

    fleet.is_told(bytes(body))

    fleet.serves()
    fleet.is_told_well()


@pytest.mark.parametrize("path", PLACES[1::4], ids=lambda path: ".".join(map(str, path)))
def test_a_backup_file_that_is_wrong_is_read_or_refused_likewise(path, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL, "throwbar")
    for number, value in enumerate(WRONG):
        backup = tmp_path / f"{number}.json"
        backup.write_text(json.dumps(broken(path, replaced_by(value))))
        fleet = Fleet(backup_file=str(backup))
        fleet.server.down = OSError("no route")

        fleet.client.flush()

        fleet.serves()
        assert fleet.client.status().ready or "backup" in fleet.client.status().failures
        fleet.client.close()
