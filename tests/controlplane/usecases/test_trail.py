"""Does a chart show the evidence as the scheduler knew it, for a month, in few points?"""

import math
from datetime import timedelta

import pytest

from controlplane.domain.retention import Grain, Retention
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.stakes import COMPARISON
from controlplane.domain.trail import Mark, Point, thinned
from controlplane.store.trail_tables import trail
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.health import flag_health
from controlplane.usecases.retention import thin
from controlplane.usecases.series import MOST_POINTS, RANGES
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

HERE = Place("production", "dspex-bridge")
START = int(NOW.timestamp())
BUCKET = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def flag(store):
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {}}), a_cause())
    rollouts.start(store, HERE, a_cause())


def lived(store, lease, *bad_keys, first=0):
    """One bucket for each number of bad keys of the candidate, each looked at when it was sealed; the last instant."""
    for number, bad in enumerate(bad_keys, first):
        at = NOW + number * BUCKET
        start = int(at.timestamp())
        sides = (
            a_cell(start=start, errors={"timeout": bad}),
            a_cell(start=start, side="baseline", backend="python_pool_v2", calls=400, errors={"timeout": 4}),
        )
        record_reports(store, [a_report(*sides, sequence=number + 1)], at)
        tick(store, lambda at=at: at + timedelta(seconds=30), Clockwork(), lease)
    return NOW + (first + len(bad_keys)) * BUCKET + timedelta(seconds=30)


def left(store, points):
    with store.writing() as uow:
        for point in points:
            uow.trails.add(1, {"dspex-bridge": point})
        uow.commit()


def grains(store):
    with store.engine.connect() as connection:
        rows = connection.execute(trail.select().order_by(trail.c.at)).all()
    return [row.grain for row in rows]


def health(store, now, span="15m"):
    return flag_health(store, HERE, now, Clockwork(), since=now - RANGES[span])


def test_the_evidence_is_drawn_bucket_by_bucket_against_its_line(store, lease):
    now = lived(store, lease, 1, 6, 9)

    shown = health(store, now)
    flag_course, echo = shown["course"], shown["operations"]["echo"]["course"]

    assert echo["times"] == flag_course["times"] == [START + 10, START + 20, START + 30]
    assert echo["errors"] == sorted(echo["errors"])
    assert flag_course["overall"][-1] == pytest.approx(math.log(shown["evidence"]), abs=1e-3)
    assert flag_course["log_limit"] == echo["log_limit"] == pytest.approx(math.log(100))


def test_both_rates_of_the_attempt_are_drawn_with_intervals_that_narrow(store, lease):
    now = lived(store, lease, *[4] * 6)

    candidate = health(store, now)["operations"]["echo"]["course"]["candidate"]
    widths = [high - low for low, high in zip(candidate["low"], candidate["high"], strict=True)]

    assert candidate["rate"] == [0.04] * 6
    assert all(low < 0.04 < high for low, high in zip(candidate["low"], candidate["high"], strict=True))
    assert widths == sorted(widths, reverse=True)


def test_each_step_has_its_volume_its_errors_and_their_interval_on_both_sides_and_for_the_flag(store, lease):
    now = lived(store, lease, 4)

    shown = health(store, now)
    series = shown["operations"]["echo"]["series"]
    at = series["starts"].index(START)
    candidate = series["candidate"]

    assert (candidate["calls"][at], candidate["errors"][at], series["baseline"]["calls"][at]) == (100, 4, 400)
    assert candidate["error_rate_low"][at] < 0.04 < candidate["error_rate_high"][at]
    assert candidate["error_rate_low"][at - 1] is None
    assert shown["series"]["candidate"] == candidate


def test_a_new_attempt_is_told_from_the_one_before(store, lease):
    lived(store, lease, 4, 4)
    rollouts.abort(store, HERE, a_cause())
    rollouts.start(store, HERE, a_cause(NOW + 2 * BUCKET))
    tick(store, lambda: NOW + timedelta(minutes=2), Clockwork(), lease)

    course = health(store, NOW + timedelta(minutes=3))["course"]

    assert sorted(set(course["attempts"])) == [1, 2]
    assert course["overall"][-1] == pytest.approx(math.log(COMPARISON), abs=1e-3)


def test_steps_keep_the_strongest_evidence_and_the_newest_counts():
    points = [
        Point(10, 1, 0.5, {"echo": Mark(3.0, 0.1, 1, 100, 1, 10)}),
        Point(20, 1, 0.2, {"echo": Mark(1.0, 0.4, 2, 200, 1, 20)}),
        Point(70, 1, 0.1, {"echo": Mark(0.0, 0.0, 3, 300, 1, 30)}),
        Point(75, 2, 0.0, {"echo": Mark(0.0, 0.0)}),
    ]

    assert thinned(points, 60) == [
        Point(20, 1, 0.5, {"echo": Mark(3.0, 0.4, 2, 200, 1, 20)}),
        points[2],
        points[3],
    ]


def test_old_points_become_minutes_then_hours_then_nothing(store, lease):
    left(store, [Point(START + 10 * each, 1, 1.0) for each in range(1, 361)])

    thin(store, lease, NOW + timedelta(hours=2, minutes=30), Retention())
    half = grains(store)
    thin(store, lease, NOW + timedelta(hours=4), Retention())
    minutes = grains(store)
    thin(store, lease, NOW + timedelta(hours=50), Retention())
    hours = grains(store)
    thin(store, lease, NOW + timedelta(days=32), Retention())

    assert half == [Grain.MINUTE] * 30 + [Grain.RAW] * 180
    assert (minutes, hours, grains(store)) == ([Grain.MINUTE] * 60, [Grain.HOUR], [])


@pytest.mark.parametrize("span", RANGES)
def test_every_range_has_points_of_its_whole_length_and_no_more_than_a_chart_needs(store, lease, span):
    step = RANGES[span] / 400
    left(store, [Point(START + int(each * step.total_seconds()), 1, float(each)) for each in range(1, 401)])

    course = health(store, NOW + RANGES[span], span)["course"]

    assert 80 < len(course["times"]) <= MOST_POINTS + 1
    assert course["overall"][-1] == 400.0
