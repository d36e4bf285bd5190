"""The evidence of a backtest as a picture."""

import math
from datetime import UTC, datetime

import pytest

from web.ui.course import HEIGHT, WIDTH, picture


def found(times, overall, *events):
    told = [{"at": datetime.fromtimestamp(at, UTC).isoformat(), "kind": kind} for at, kind in events]
    return {"series": {"times": times, "overall": overall}, "events": told, "log_limit": math.log(100)}


def places(drawn):
    return [tuple(float(each) for each in point.split(",")) for point in drawn.points.split()]


def test_time_goes_right_and_evidence_goes_up_to_its_limit():
    drawn = picture(found([0, 10, 40], [-0.3, 0.0, math.log(100)]))

    first, second, last = places(drawn)
    assert [first, second] == [(0, HEIGHT), (WIDTH / 4, HEIGHT)]
    assert last == (WIDTH, drawn.limit.y)
    assert [level.one_in for level in drawn.levels] == [1, 10, 100]
    assert drawn.limit.one_in == 100


def test_an_event_after_the_last_point_makes_the_picture_wider():
    drawn = picture(found([0, 50], [0.0, 5.0], (25, "suspicious"), (100, "roll_back")))

    assert [(each.x, each.kind) for each in drawn.marks] == [(25, "suspicious"), (100, "roll_back")]
    assert places(drawn)[-1][0] == WIDTH / 2


def test_what_was_not_there_yet_is_left_out_and_what_is_beyond_reason_is_cut():
    drawn = picture(found([0, 10, 20], [None, 0.0, 1e6]))

    assert len(places(drawn)) == 2
    assert places(drawn)[-1][1] == pytest.approx(HEIGHT * (1 - 1 / 1.15), abs=0.1)


@pytest.mark.parametrize(("times", "overall"), [([], []), ([0], [1.0]), ([0, 10], [None, None])])
def test_a_point_is_no_line(times, overall):
    assert picture(found(times, overall)) is None
