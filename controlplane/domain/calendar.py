"""Calendar: when a rollout may move on by itself. Windows belong to a plan, freezes to an environment.

Nothing here hinders a brake: going back to the baseline needs no opening hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

FARTHEST = timedelta(days=366)  # beyond it a calendar that does not open counts as closed for ever


class Weekday(StrEnum):
    """In the order of `date.weekday()`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def weekday_of(day: date) -> Weekday:
    return list(Weekday)[day.weekday()]


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days by the clocks of one time zone: from `opens` up to, not including, `closes`.

    A window that closes before it opens lasts into the next day and belongs to the day it opens on; one that closes
    when it opens lasts for 24 hours. Clocks that are changed change the window with them.
    """

    days: tuple[Weekday, ...]
    opens: time
    closes: time
    zone: str

    def is_open(self, now: datetime) -> bool:
        return any(start <= now < end for start, end in self._spans(now, first=-1, last=0))

    def next_opening(self, now: datetime) -> datetime | None:
        """The first opening after `now`, which is when a closed window opens; None for a window without days."""
        return min((start for start, _ in self._spans(now, first=0, last=8) if start > now), default=None)

    def _spans(self, now: datetime, *, first: int, last: int) -> Iterable[tuple[datetime, datetime]]:
        """Openings of the days around `now`, in UTC; `first` and `last` count days from today."""
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for day in (today + timedelta(days=count) for count in range(first, last + 1)):
            if weekday_of(day) in self.days:
                end = day if self.closes > self.opens else day + timedelta(days=1)
                yield _utc(day, self.opens, zone), _utc(end, self.closes, zone)

    def openings(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Its open spans that touch [since, until), by their beginning."""
        spans = self._spans(since, first=-1, last=(until - since).days + 1)
        return [(start, end) for start, end in spans if start < until and end > since]

    @property
    def sentence(self) -> str:
        """Like "mon tue 09:00 to 17:00 Europe/Berlin"."""
        return f"{' '.join(self.days)} {self.opens:%H:%M} to {self.closes:%H:%M} {self.zone}"


def _utc(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A span in which no rollout of an environment moves on, such as the week before Christmas. `id` 0: not kept."""

    name: str
    starts_at: datetime
    ends_at: datetime
    id: int = 0

    def covers(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Calendar:
    """What has to be open: any of the windows (none: always), and no freeze."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def freeze_at(self, now: datetime) -> Freeze | None:
        """The freeze in force that lasts longest."""
        return max((each for each in self.freezes if each.covers(now)), key=lambda each: each.ends_at, default=None)

    def is_open(self, now: datetime) -> bool:
        return self.freeze_at(now) is None and (not self.windows or any(each.is_open(now) for each in self.windows))

    def opens_at(self, now: datetime) -> datetime | None:
        """`now` if it is open, else when it will be; None where that is more than a year away."""
        moment = now
        while moment - now <= FARTHEST:
            if self.is_open(moment):
                return moment
            later = self._next_chance(moment)
            if later is None:
                return None
            moment = later
        return None

    def _next_chance(self, now: datetime) -> datetime | None:
        freeze = self.freeze_at(now)
        if freeze:
            return freeze.ends_at
        openings = (each.next_opening(now) for each in self.windows)
        return min((each for each in openings if each), default=None)

    def closed_because(self, now: datetime) -> str | None:
        """Why nothing moves on now, and until when; None while it is open."""
        if self.is_open(now):
            return None
        freeze, opens = self.freeze_at(now), self.opens_at(now)
        until = f"until {opens:%Y-%m-%d %H:%M} UTC" if opens else "for more than a year"
        return f"frozen {until}: {freeze.name}" if freeze else f"outside its hours {until}"


ALWAYS_OPEN = Calendar()
