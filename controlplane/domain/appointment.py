"""Appointment: one change to a flag that is made at a set time, outside any plan."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Deed(StrEnum):
    """What is done at the time."""

    ENABLE = "enable"
    DISABLE = "disable"
    PERCENT = "percent"
    START = "start"
    ABORT = "abort"
    ROLLBACK = "rollback"

    @property
    def is_a_brake(self) -> bool:
        """Whether it can only send calls back to the baseline: no freeze stops it."""
        return self in {Deed.DISABLE, Deed.ABORT, Deed.ROLLBACK}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, and when. `operation` and `share` belong to a percent; `operation` also to a rollback."""

    deed: Deed
    at: datetime
    operation: str | None = None
    share: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A wish that is kept. `over_at` None: still to come; `outcome` says what became of it."""

    id: int
    flag: str
    wish: Wish
    made_by: str
    made_at: datetime
    over_at: datetime | None = None
    outcome: str = ""
