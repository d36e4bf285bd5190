"""Has the backend recovered? A few probes, each with a lease, and what they found."""

from __future__ import annotations

from throwbar.circuit import BreakerSettings, Permit, Result, Watch
from throwbar.window import Totals


class Probe:
    """The permit of one call that may try a backend that was given up."""

    __slots__ = ("_watch", "slow_ns")
    window = None

    def __init__(self, watch: Watch, slow_ns: int) -> None:
        self._watch = watch
        self.slow_ns = slow_ns

    def succeeded(self, now_ns: int, duration_ns: int) -> None:
        self._watch.heard(self, now_ns, Result(failed=False, slow=duration_ns >= self.slow_ns, hard=False))

    def failed(self, now_ns: int, duration_ns: int, *, hard: bool) -> None:
        self._watch.heard(self, now_ns, Result(failed=True, slow=duration_ns >= self.slow_ns, hard=hard))

    def released(self) -> None:
        self._watch.freed(self)


class HalfOpenPeriod:
    """From the end of an open time to the verdict. All of it is for the holder of the breaker's lock."""

    __slots__ = ("_lease_ns", "_leases", "_settings", "_until_ns", "found")

    def __init__(self, settings: BreakerSettings, lease_ns: int, now_ns: int) -> None:
        self._settings = settings
        self._lease_ns = lease_ns
        self._until_ns = now_ns + int(settings.half_open_seconds * 1e9)
        self._leases: dict[Permit, int] = {}
        self.found = Totals()

    def admit(self, probe: Permit, now_ns: int) -> bool:
        """Whether there is room, and need, for one more."""
        under_way = len(self._leases)
        if under_way >= self._settings.probes_at_once or under_way + self.found.calls >= self._settings.probe_results:
            return False
        self._leases[probe] = now_ns + self._lease_ns
        return True

    def settle(self, probe: Permit, result: Result) -> None:
        """A probe came back; one that nobody waits for any more changes nothing."""
        if self.free(probe):
            ok, failed, slow = self.found
            self.found = Totals(ok + (not result.failed), failed + result.failed, slow + result.slow)

    def free(self, probe: Permit) -> bool:
        return self._leases.pop(probe, None) is not None

    def verdict(self, now_ns: int) -> bool | None:
        """True to close, False to open again, None to go on.

        When time is up, what was found decides, however little: an operation with a call a minute must be able to
        close, too. Nothing found is no reason to close.
        """
        self._give_up(now_ns)
        found = self.found
        if found.calls < self._settings.probe_results and now_ns < self._until_ns:
            return None
        recovered = found.failure_rate < self._settings.failure_rate and found.slow_rate < self._settings.slow_rate
        return found.calls > 0 and recovered

    def _give_up(self, now_ns: int) -> None:
        for probe in [probe for probe, end_ns in self._leases.items() if now_ns >= end_ns]:
            self.settle(probe, Result(failed=True, slow=True, hard=True))
