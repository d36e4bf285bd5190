"""Does telemetry stay small, and lose nothing but what is past its time?"""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.arm import total
from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.errors import LeaseLost
from controlplane.domain.flag import Side
from controlplane.domain.retention import Grain, Retention, grain_for
from controlplane.domain.snapshot import Clockwork
from controlplane.store import UnitOfWork
from controlplane.store.checkpoints import Checkpoint
from controlplane.store.packs import Packs
from controlplane.store.reports import Buckets, Place
from controlplane.store.watches import Watch
from controlplane.usecases import flags
from controlplane.usecases.changing import Order, change_flag
from controlplane.usecases.changing import Place as FlagPlace
from controlplane.usecases.health import flag_health
from controlplane.usecases.leading import lead
from controlplane.usecases.retention import CLOSED_AFTER, pack_next, thin
from controlplane.usecases.series import MOST_POINTS
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report, an_arm

START = int(NOW.timestamp())  # a whole hour
PLACE = Place("dspex-bridge", START, "echo", 1, Side.CANDIDATE, "snakepit", "share", 1000)
LATER = NOW + timedelta(days=1, seconds=CLOSED_AFTER)
ALWAYS = (0, 2**40)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = [(Buckets, "take"), (Packs, "add"), (UnitOfWork, "commit")]
CRASHES = [(owner, name, when) for owner, name in STEPS for when in ("before", "after")][:-1]


class Crash(Exception):
    """The process died here."""


@pytest.fixture(autouse=True)
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def put(store, cells):
    with store.writing() as uow:
        uow.buckets.add(1, dict(cells))
        uow.commit()


def pack_all(store, lease, now=LATER):
    while pack_next(store, lease, now):
        pass


def seen(store, grain=Grain.RAW):
    with store.reading() as uow:
        return uow.buckets.seen(1, "dspex-bridge", *ALWAYS, grain)


def summed(cells):
    """Everything that was counted, whatever the grain: identity without its start → the sum."""
    identities = {replace(place, start=0) for place, _ in cells}
    return {each: total([arm for place, arm in cells if replace(place, start=0) == each]) for each in identities}


def rows(store):
    """Cells that have a row of their own."""
    with store.reading() as uow:
        return 0 if uow.buckets.oldest(2**40) is None else 1


def starts(store, grain):
    with store.reading() as uow:
        return [place.start - START for place, _ in uow.packs.between(1, "dspex-bridge", grain, *ALWAYS)]


CELLS = st.dictionaries(
    st.builds(
        lambda start, operation, side, late: replace(
            PLACE, start=START + 10 * start, operation=operation, side=side, late=late
        ),
        st.integers(0, 1000),
        st.sampled_from(["echo", "simple_predict"]),
        st.sampled_from(Side),
        st.booleans(),
    ),
    st.builds(
        lambda keys, bad, milliseconds: an_arm(
            keys, min(keys, bad), milliseconds=milliseconds, errors={"timeout": 1}, retries=2, ratio={3: 1}
        ),
        st.integers(1, 1000),
        st.integers(0, 1000),
        st.sampled_from([3.0, 20.0, 900.0]),
    ),
    min_size=1,
    max_size=10,
)


@given(cells=CELLS, late=CELLS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_grain_holds_every_count_and_every_duration_once(store, lease, cells, late):
    put(store, cells)
    pack_all(store, lease)
    put(store, late)
    with_late = {grain: summed(seen(store, grain)) for grain in Grain}
    pack_all(store, lease)
    packed = {grain: summed(seen(store, grain)) for grain in Grain}
    raw = {place: total([arm for at, arm in seen(store) if at == place]) for place, _ in seen(store)}
    forget_everything(store)

    everything = summed([*cells.items(), *late.items()])
    assert with_late == packed == dict.fromkeys(Grain, everything)
    assert raw == {
        place: total([of[place] for of in (cells, late) if place in of]) for place in cells.keys() | late.keys()
    }


def forget_everything(store):
    with store.writing() as uow:
        for grain in Grain:
            uow.packs.forget(1, "dspex-bridge", grain, 2**40)
        uow.commit()


@pytest.mark.parametrize(("owner", "name", "when"), CRASHES, ids=[f"{when} {name}" for _, name, when in CRASHES])
def test_a_crash_while_packing_loses_nothing_and_doubles_nothing(store, lease, monkeypatch, owner, name, when):
    put(store, {replace(PLACE, start=START + 10 * number): an_arm(number + 1) for number in range(70)})
    before = summed(seen(store))
    original = getattr(owner, name)

    def dies(self, *args, **kwargs):
        if when == "after":
            original(self, *args, **kwargs)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(Crash):
            pack_next(store, lease, LATER)
    pack_all(store, lease)

    assert {grain: summed(seen(store, grain)) for grain in Grain} == dict.fromkeys(Grain, before)
    assert rows(store) == 0


def test_a_step_takes_what_one_operation_had_in_ten_minutes_and_no_more(store, lease):
    put(store, {replace(PLACE, start=START + 10 * number): an_arm(1) for number in range(120)})
    put(
        store, {replace(PLACE, start=START + 10 * number, operation="simple_predict"): an_arm(1) for number in range(6)}
    )

    assert sorted(pack_next(store, lease, LATER) for _ in range(4)) == [0, 6, 60, 60]


def test_cells_that_a_report_may_still_add_to_stay_as_they_are(store, lease):
    put(store, {PLACE: an_arm(1), replace(PLACE, start=START + 600): an_arm(1)})
    almost = NOW + timedelta(seconds=600 + CLOSED_AFTER - 1)

    assert pack_next(store, lease, almost) == 0
    pack_all(store, lease, almost + timedelta(seconds=1))
    assert starts(store, Grain.RAW) == [0]


def test_one_that_lost_the_lease_packs_and_drops_nothing(store, lease):
    put(store, {PLACE: an_arm(1)})
    assert lead(store, "other", NOW + timedelta(days=4000), DAY)

    with pytest.raises(LeaseLost):
        pack_next(store, lease, LATER)
    with pytest.raises(LeaseLost):
        thin(store, lease, LATER, Retention())
    assert rows(store) == 1


def test_a_report_that_comes_after_its_bucket_was_packed_is_counted_all_the_same(store, lease):
    record_reports(store, [a_report(a_cell())], NOW)
    fold(store, lease)
    pack_all(store, lease)
    record_reports(store, [a_report(a_cell(), sequence=2)], NOW)  # it waited in the journal
    fold(store, lease)
    pack_all(store, lease)

    assert [[arm.calls for _, arm in seen(store, grain)] for grain in Grain] == [[200], [200], [200]]


def hourly(store, hours):
    """A cell at each of these hours after the start, all packed."""
    put(store, {replace(PLACE, start=START + 3600 * hour): an_arm(1) for hour in hours})


def test_each_grain_is_dropped_in_its_time(store, lease):
    hourly(store, [0])
    pack_all(store, lease)
    kept = Retention(raw=2 * DAY, minutes=14 * DAY, hours=400 * DAY)
    left = Counter()
    for days in (1, 3, 13, 15, 399, 402):
        thin(store, lease, NOW + days * DAY, kept)
        left[days] = sum(bool(starts(store, grain)) for grain in Grain)

    assert left == {1: 3, 3: 2, 13: 2, 15: 1, 399: 1, 402: 0}


def judged(store, *checkpoints, until):
    """The flag is judged up to `until`, with checkpoints at some hours after the start."""
    with store.writing() as uow:
        for hour in checkpoints:
            uow.checkpoints.save(1, Checkpoint("dspex-bridge", 1, START + 3600 * hour, 1))
        uow.watches.save(1, Watch("dspex-bridge", 1, START + 3600 * until, NOW))
        uow.commit()


def test_raw_cells_of_a_judged_attempt_are_kept_from_the_checkpoint_before_them(store, lease):
    hourly(store, range(12))
    pack_all(store, lease, NOW + 2 * DAY)
    judged(store, 0, 6, until=60)

    thin(store, lease, NOW + 58 * HOUR, Retention(raw=2 * DAY))  # what is older than ten hours may go

    assert [start // 3600 for start in starts(store, Grain.RAW)] == [6, 7, 8, 9, 10, 11]
    with store.reading() as uow:
        assert [each.start for each in uow.checkpoints.of(1, "dspex-bridge", 1)] == [START + 6 * 3600]


def test_raw_cells_of_an_attempt_that_is_over_go_by_their_age(store, lease):
    hourly(store, range(12))
    pack_all(store, lease, NOW + 2 * DAY)
    judged(store, 0, until=5)

    thin(store, lease, NOW + 58 * HOUR, Retention(raw=2 * DAY))

    assert [start // 3600 for start in starts(store, Grain.RAW)] == [10, 11]


def decided(store, hour):
    """The scheduler rolled the flag back, on the rows until some hours after the start."""
    record = {"attempt": 1, "judged_until": START + 3600 * hour}
    order = Order(Action.ROLLOUT_ROLL_BACK, lambda flag: replace(flag, rolled_back=True), record=record)
    cause = replace(a_cause(NOW + hour * HOUR), actor=SCHEDULER)
    change_flag(store, FlagPlace("production", "dspex-bridge"), cause, order)


@pytest.mark.parametrize(("days", "left"), [(80, [3, 4, 5, 6]), (91, [])])
def test_the_rows_of_a_decision_are_spared_from_the_checkpoint_an_hour_before_it(store, lease, days, left):
    hourly(store, range(12))
    pack_all(store, lease, NOW + 2 * DAY)
    judged(store, 0, 3, until=6)
    decided(store, 6)

    thin(store, lease, NOW + days * DAY, Retention())

    assert [start // 3600 for start in starts(store, Grain.RAW)] == left


@pytest.mark.parametrize(
    ("span", "grain"),
    [
        (timedelta(minutes=15), Grain.RAW),
        (HOUR, Grain.RAW),
        (6 * HOUR, Grain.MINUTE),
        (DAY, Grain.MINUTE),
        (7 * DAY, Grain.HOUR),
        (30 * DAY, Grain.HOUR),
    ],
)
def test_a_chart_of_any_length_has_every_call_in_a_few_hundred_points(store, lease, span, grain):
    last = NOW + 30 * DAY
    begin = int((last - span).timestamp())
    times = range(begin, begin + int(span.total_seconds()), max(600, int(span.total_seconds()) // 50))
    put(store, {replace(PLACE, start=each - each % 10): an_arm(10, 1) for each in times})
    pack_all(store, lease, last)

    health = flag_health(store, FlagPlace("production", "dspex-bridge"), last, Clockwork(), since=last - span)

    series = health["operations"]["echo"]["series"]
    assert sum(series["candidate"]["calls"]) == 10 * len(times)
    assert len(series["starts"]) <= MOST_POINTS + 1
    assert grain_for(span.total_seconds(), span, Retention()) is grain


def test_a_short_span_of_long_ago_is_shown_at_the_grain_that_is_still_there(store, lease):
    put(store, {replace(PLACE, start=START + 10 * number): an_arm(10) for number in range(90)})
    pack_all(store, lease)
    now = NOW + 5 * DAY
    thin(store, lease, now, Retention())

    until = NOW + timedelta(minutes=15)
    health = flag_health(store, FlagPlace("production", "dspex-bridge"), now, Clockwork(), since=NOW, until=until)

    assert health["operations"]["echo"]["series"]["candidate"]["calls"] == [60] * 15
