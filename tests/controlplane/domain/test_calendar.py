"""When a rollout may move on: windows by the clocks of a zone, freezes over them."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.calendar import ALWAYS_OPEN, Calendar, Freeze, Weekday, Window
from tests.builders import NOW

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = (Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI)
OFFICE = Window(WORKDAYS, time(9), time(17), "Europe/Berlin")


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc,arg-type]


def a_freeze(start: datetime, days: float, name: str = "Christmas") -> Freeze:
    return Freeze(name, start, start + timedelta(days=days))


def test_a_window_goes_by_the_clocks_of_its_zone() -> None:
    assert OFFICE.is_open(berlin(2026, 1, 5, 9, 0))
    assert OFFICE.is_open(berlin(2026, 1, 5, 16, 59))
    assert not OFFICE.is_open(berlin(2026, 1, 5, 17, 0))
    assert not OFFICE.is_open(berlin(2026, 1, 4, 12, 0))  # a Sunday
    assert not OFFICE.is_open(datetime(2026, 1, 5, 16, 30, tzinfo=UTC))


def test_a_window_into_the_next_day_belongs_to_the_day_it_opens_on() -> None:
    night = Window((Weekday.FRI,), time(22), time(6), "UTC")

    assert night.is_open(datetime(2026, 1, 9, 23, 0, tzinfo=UTC))
    assert night.is_open(datetime(2026, 1, 10, 5, 59, tzinfo=UTC))
    assert not night.is_open(datetime(2026, 1, 9, 5, 0, tzinfo=UTC))


def test_a_window_that_closes_when_it_opens_lasts_a_day() -> None:
    sunday = Window((Weekday.SUN,), time(0), time(0), "UTC")

    assert sunday.is_open(datetime(2026, 1, 4, 0, 0, tzinfo=UTC))
    assert sunday.is_open(datetime(2026, 1, 4, 23, 59, tzinfo=UTC))
    assert not sunday.is_open(datetime(2026, 1, 5, 0, 0, tzinfo=UTC))


def test_clocks_that_are_changed_change_the_window_with_them() -> None:
    """On 29 March 2026 Berlin goes from UTC+1 to UTC+2."""
    assert Calendar((OFFICE,)).opens_at(berlin(2026, 3, 27, 18, 0)) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert Calendar((OFFICE,)).opens_at(berlin(2026, 3, 26, 18, 0)) == datetime(2026, 3, 27, 8, 0, tzinfo=UTC)


def test_a_calendar_without_windows_is_always_open() -> None:
    assert ALWAYS_OPEN.is_open(NOW)
    assert ALWAYS_OPEN.closed_because(NOW) is None


def test_a_freeze_closes_every_window_and_names_itself() -> None:
    calendar = Calendar((), (a_freeze(NOW, 2), a_freeze(NOW, 1, "short")))

    assert not calendar.is_open(NOW)
    assert calendar.closed_because(NOW) == "frozen until 2026-01-07 09:00 UTC: Christmas"
    assert calendar.is_open(NOW + timedelta(days=2))


def test_after_a_freeze_the_hours_count_again() -> None:
    calendar = Calendar((OFFICE,), (Freeze("audit", NOW, datetime(2026, 1, 9, 20, 0, tzinfo=UTC)),))

    assert calendar.opens_at(NOW) == datetime(2026, 1, 12, 8, 0, tzinfo=UTC)


def test_a_chain_of_freezes_without_a_gap_is_one() -> None:
    chain = tuple(a_freeze(NOW + timedelta(days=day), 1) for day in range(30))

    assert Calendar((), chain).opens_at(NOW) == NOW + timedelta(days=30)


def test_what_does_not_open_within_a_year_is_closed_for_ever() -> None:
    for_ever = Calendar((), (a_freeze(NOW, 5000),))

    assert for_ever.opens_at(NOW) is None
    assert for_ever.closed_because(NOW) == "frozen for more than a year: Christmas"
    assert Calendar((Window((), time(9), time(17), "UTC"),)).opens_at(NOW) is None


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
windows = st.builds(
    Window, st.lists(st.sampled_from(Weekday), min_size=1, unique=True).map(tuple), clocks, clocks, zones
)
freezes = st.builds(a_freeze, moments, st.floats(0.01, 40))


@given(st.lists(windows, max_size=3).map(tuple), st.lists(freezes, max_size=4).map(tuple), moments)
def test_it_opens_when_it_says_and_not_before(windows, freezes, now) -> None:
    calendar = Calendar(windows, freezes)
    opens = calendar.opens_at(now)

    if opens is None:
        assert not calendar.is_open(now)
        return
    assert calendar.is_open(opens)
    steps = int((opens - now) / timedelta(minutes=30))
    for step in range(min(steps, 200)):
        moment = now + timedelta(minutes=30) * step
        assert moment == opens or not calendar.is_open(moment)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_window_names_itself_as_people_would(zone) -> None:
    assert Window(WORKDAYS[:2], time(9), time(17), zone).sentence == f"mon tue 09:00 to 17:00 {zone}"
