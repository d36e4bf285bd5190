"""Are instants, spans and shares worded so that nobody has to think?"""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from web.ui import moments

NOW = datetime(2026, 1, 5, 12, 4, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "worded"),
    [
        (timedelta(0), "12:04:31"),
        (timedelta(minutes=5), "12:09:31"),
        (timedelta(hours=2), "14:04"),
        (timedelta(days=1), "Tuesday 12:04"),
        (timedelta(days=-4), "Thursday 12:04"),
        (timedelta(days=30), "4 Feb 12:04"),
        (timedelta(days=-30), "6 Dec 2025 12:04"),
    ],
)
def test_a_moment_says_as_much_as_is_needed(away: timedelta, worded: str) -> None:
    assert moments.moment(NOW + away, NOW) == worded


def test_instants_of_other_zones_are_told_in_utc() -> None:
    there = datetime(2026, 1, 5, 14, 0, tzinfo=timezone(timedelta(hours=2)))

    assert moments.moment(there, NOW) == "12:00:00"
    assert moments.instant("2026-01-05T14:00:00+02:00") == datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "worded"),
    [
        (0, "just now"),
        (45, "45\u202fs ago"),
        (600, "10\u202fmin ago"),
        (7200, "2\u202fh ago"),
        (86_400, "1 day ago"),
        (-90, "in 1\u202fmin"),
    ],
)
def test_distances_are_rounded_down(seconds: int, worded: str) -> None:
    assert moments.ago(NOW - timedelta(seconds=seconds), NOW) == worded


@pytest.mark.parametrize(
    ("seconds", "worded"),
    [
        (604_800, "7 days"),
        (5400, "1 hour 30 minutes"),
        (1, "1 second"),
        (0.5, "0.5 seconds"),
        (0, "no bake"),
        (90_061, "1 day 1 hour"),
    ],
)
def test_a_bake_is_told_in_at_most_two_units(seconds: float, worded: str) -> None:
    assert moments.span(seconds) == worded


def test_nothing_measured_is_a_dash_and_not_a_zero() -> None:
    assert moments.rate(None) == "–"
    assert moments.milliseconds(None) == "–"
    assert moments.rate(0.0) == "0\u202f%"
