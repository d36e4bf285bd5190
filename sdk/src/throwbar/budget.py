"""How much extra load may a backend get from us? Retries, and fallbacks, are paid from what ordinary calls earn."""

import threading
from typing import NamedTuple


class BudgetSettings(NamedTuple):
    """Every ordinary call earns `per_call`, every second `per_second`; at most `burst` is saved up."""

    per_call: float
    burst: float
    per_second: float


RETRIES = BudgetSettings(per_call=0.2, burst=10.0, per_second=1.0)
FALLBACKS = BudgetSettings(per_call=1.0, burst=100.0, per_second=1.0)  # at most doubles what the baseline gets


class Budget:
    """One for the retries of each flag, operation and backend, one for the fallbacks to each baseline.

    The hot path does `budget.calls += 1` for each ordinary call and nothing else. What that earned is reckoned when
    somebody wants to spend: earnings only grow in between, so cutting them to `burst` late is cutting them always.
    """

    __slots__ = ("_calls_seen", "_lock", "_saved", "_settings", "_updated_ns", "calls", "denied")

    def __init__(self, settings: BudgetSettings = RETRIES) -> None:
        self._settings = settings
        self.calls = 0
        self.denied = 0
        self.renew()

    def renew(self) -> None:
        """A new process: a full purse, and a lock that nobody holds."""
        self._lock = threading.RLock()
        self._saved = self._settings.burst
        self._calls_seen = self.calls
        self._updated_ns: int | None = None

    def spend(self, now_ns: int) -> bool:
        """Take the price of one extra call, or be told that there is not enough."""
        with self._lock:
            self._saved = self._available(now_ns)
            if self._saved < 1.0:
                self.denied += 1
                return False
            self._saved -= 1.0
            return True

    def give_back(self) -> None:
        """An extra call was paid for and not made."""
        with self._lock:
            self._saved = min(self._settings.burst, self._saved + 1.0)

    def _available(self, now_ns: int) -> float:
        settings, calls = self._settings, self.calls
        seconds = 0.0 if self._updated_ns is None else max(now_ns - self._updated_ns, 0) / 1e9
        earned = settings.per_call * (calls - self._calls_seen) + settings.per_second * seconds
        self._calls_seen = calls
        self._updated_ns = now_ns
        return min(settings.burst, self._saved + earned)
