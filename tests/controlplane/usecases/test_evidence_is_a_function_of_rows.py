"""Evidence is a pure function of the rows: however they come, and whoever folds them, the number is the same."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.arm import total
from controlplane.domain.assignment import log_mismatch
from controlplane.domain.bucket import Bucket as SealedBucket
from controlplane.domain.bucket import Stratum
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.proof import log_proof
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.judging import look_at
from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import arm_of, fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

FIRST = int(NOW.timestamp())
SHARE = 10_000
names = (f"flag-{number}" for number in itertools.count())


@st.composite
def parts(draw, start):
    """One instance's cell of one side of one bucket."""
    calls = draw(st.integers(1, 60))
    failed = draw(st.integers(0, calls))
    fresh = draw(st.booleans())
    milliseconds = draw(st.sampled_from([5.0, 20.0, 80.0, 1500.0]))
    cell = a_cell(
        start=start,
        share=SHARE,
        side=draw(st.sampled_from(["baseline", "candidate"])),
        calls=calls,
        errors={"timeout": failed} if failed else {},
        milliseconds=milliseconds,
    )
    return {**cell, "key_rise": {"from": {}, "to": cell["key_rise"]["to"]}} if fresh else cell


BUCKETS = st.integers(1, 4).flatmap(
    lambda number: st.tuples(*[st.lists(parts(FIRST + 10 * index), min_size=1, max_size=5) for index in range(number)])
)


def reference(buckets, guardrails):
    """The same, by hand: sums, then `gather` in the order of time."""
    seen = Evidence()
    for index, cells in enumerate(buckets):
        arms = {
            side: total([arm_of(cell) for cell in cells if cell["side"] == side]) for side in ("baseline", "candidate")
        }
        seen = gather(seen, SealedBucket(FIRST + 10 * index, (Stratum(SHARE, **arms),), **arms), guardrails)
    return numbers(seen)


def numbers(seen):
    wealths = [
        seen.errors,
        seen.max_error_rate,
        *map(seen.latency.get, sorted(seen.latency)),
        *seen.max_latency.values(),
    ]
    logs = [each.log_evidence for each in wealths]
    return [*logs, log_proof(seen.proof), log_mismatch(seen.assignments)]


class Fleet:
    """Instances that send the cells of a bucket in an order, and in pieces, that chance draws; some arrive twice."""

    def __init__(self, store, lease, data, flag):
        self.store, self.lease, self.data, self.flag = store, lease, data, flag
        self.sequences = {}

    def send(self, cells):
        order = self.data.draw(st.permutations(cells))
        while order:
            cut = self.data.draw(st.integers(1, len(order)))
            some, order = order[:cut], order[cut:]
            instance = f"{self.flag}-{self.data.draw(st.integers(1, 3))}"
            self.sequences[instance] = self.sequences.get(instance, 0) + 1
            told = [{**cell, "flag": self.flag} for cell in some]
            report = a_report(*told, instance=instance, sequence=self.sequences[instance])
            batch = [report] * self.data.draw(st.integers(1, 2))
            record_reports(self.store, batch, NOW)
            if self.data.draw(st.booleans()):
                record_reports(self.store, [report], NOW)
            if self.data.draw(st.booleans()):
                fold(self.store, self.lease)


def look(store, lease, flag, at):
    fold(store, lease)
    with store.writing() as uow:
        environment = uow.environments.get("production")
        seen = look_at(uow, environment, flags.get_flag(store, Place("production", flag)), at, Clockwork())
        uow.watches.save(environment.id, seen.watch)
        uow.commit()
    return seen.watch.evidence["echo"]


def begun(store):
    name = next(names)
    document = a_flag_document(key=name, operations={"echo": {"percent": 10}}, plan=None)
    return name, flags.create_flag(store, "production", document, a_cause()).guardrails_of("echo")


def sealed(index):
    return NOW + timedelta(seconds=10 * (index + 1) + Clockwork().seal_seconds)


@pytest.fixture
def sqlite_lease(sqlite_store):
    return lead(sqlite_store, "test", NOW, timedelta(days=3650))


@given(buckets=BUCKETS, data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_order_pieces_duplicates_and_looks_give_the_same_number(sqlite_store, sqlite_lease, buckets, data):
    late, guardrails = begun(sqlite_store)
    early, _ = begun(sqlite_store)
    wanted = reference(buckets, guardrails)

    once = Fleet(sqlite_store, sqlite_lease, data, late)
    once.send([cell for cells in buckets for cell in cells])
    in_one_look = look(sqlite_store, sqlite_lease, late, sealed(len(buckets)))

    as_it_goes = Fleet(sqlite_store, sqlite_lease, data, early)
    for index, cells in enumerate(buckets):
        as_it_goes.send(cells)
        after_each = look(sqlite_store, sqlite_lease, early, sealed(index))

    assert numbers(in_one_look) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert numbers(after_each) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
