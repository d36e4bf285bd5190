"""When is it time to poll, and when to report? One daemon thread, started by the first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from throwbar.clock import monotonic
from throwbar.engine import log
from throwbar.exchange import Exchange
from throwbar.shelf import Shelf

LONGEST_PAUSE_SECONDS = 30.0
UNAUTHORISED_PAUSE_SECONDS = 60.0
HURRY_PAUSE_SECONDS = 1.0  # between two reports, however much happens
URGENT_PAUSE_SECONDS = 2.0  # between reports after a breaker opened
_FIRST_PAUSE_SECONDS = 1.0
_BEHIND_PAUSE_SECONDS = 0.5


class Poller:
    """The life of the thread. `step` is one turn of it, and all that the thread does."""

    def __init__(
        self,
        exchange: Exchange,
        shelf: Shelf,
        poll_interval: float,
        report_interval: float,
        is_ready: Callable[[], bool],
    ) -> None:
        self._exchange = exchange
        self._shelf = shelf
        self._poll_interval = poll_interval
        self._report_interval = report_interval
        self._is_ready = is_ready
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._poll_due = self._report_due = 0.0
        self._restored = False
        self._flushes_wanted = self._flushes_done = 0
        self._hurried = False
        self._reported_at = -HURRY_PAUSE_SECONDS
        self._close_by: float | None = None
        self._ended = False

    def ensure_started(self) -> None:
        """Start the thread, once. Cheap when it runs."""
        if self._thread is not None:
            return
        with self._condition:
            if not self._running() and self._close_by is None:
                thread = threading.Thread(target=self._run, name="throwbar", daemon=True)
                thread.start()
                self._thread = thread

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait for something that a step brings about; whether it came in time, and before the end."""
        with self._condition:
            self._condition.wait_for(lambda: condition() or self._ended, timeout)
            return condition()

    def flush(self, timeout: float) -> bool:
        """Report now, and poll if the answer says so. True when nothing is left to send."""
        self.ensure_started()
        with self._condition:
            self._flushes_wanted += 1
            mine = self._flushes_wanted
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._flushes_done >= mine or self._ended, timeout)
            done = self._flushes_done >= mine
        return done and not self._exchange.outbox

    def hurry(self) -> None:
        """Something happened that the control plane should hear of before the next report is due."""
        if self._thread is None:
            self._report_due = 0.0
            return
        with self._condition:
            self._hurried = True
            self._condition.notify_all()

    def close(self, timeout: float) -> None:
        """Send what there is and stop, within `timeout` seconds whatever the network does."""
        with self._condition:
            self._close_by = monotonic() + timeout
            thread = self._thread
            self._ended = thread is None
            self._condition.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def step(self, now: float) -> float:
        """Do what is due at `now` (monotonic seconds); the seconds until something is due again."""
        wanted = self._flushes_wanted
        if self._hurried:
            self._hurried = False
            self._report_due = min(self._report_due, max(now, self._reported_at + HURRY_PAUSE_SECONDS))
        if not self._restored:
            self._restored = True
            self._shelf.restore()
            self._tell()
        self._shelf.look_at_overrides()
        if now >= self._poll_due:
            self._poll()
        if now >= self._report_due or wanted > self._flushes_done:
            self._reported_at = now
            if self._exchange.report(enough=self._closing):
                self._poll()
                if self._exchange.is_behind:  # a replica that has not heard of it yet was asked
                    self._poll_due = min(self._poll_due, monotonic() + _BEHIND_PAUSE_SECONDS * _jitter())
            self._report_due = monotonic() + self._pause(self._report_interval, self._exchange.reporting.failures)
            if self._exchange.is_urgent and not self._exchange.reporting.failures:
                self._report_due = min(self._report_due, monotonic() + URGENT_PAUSE_SECONDS * _jitter())
        self._exchange.attend()
        self._flushes_done = wanted
        self._tell()
        return max(min(self._poll_due, self._report_due) - monotonic(), 0.0)

    def _poll(self) -> None:
        trouble = self._exchange.polling
        if self._exchange.poll():
            pause = self._pause(self._poll_interval, 0)
        elif trouble.unauthorised:
            pause = self._pause(max(self._poll_interval, UNAUTHORISED_PAUSE_SECONDS), 0)
        elif self._is_ready():
            pause = self._pause(self._poll_interval, trouble.failures)
        else:
            pause = self._pause(min(self._poll_interval, _FIRST_PAUSE_SECONDS), trouble.failures)
        self._poll_due = monotonic() + pause
        self._tell()

    def _pause(self, interval: float, failures: int) -> float:
        """Jittered, so that a fleet does not ask in step; doubled by each failure after the first."""
        longest = max(interval, LONGEST_PAUSE_SECONDS)
        return min(interval * 2.0 ** min(max(failures - 1, 0), 10), longest) * _jitter()

    def _run(self) -> None:
        while not self._closing():
            try:
                pause = self.step(monotonic())
            except Exception:  # noqa: BLE001 - the thread must outlive any bug of ours, or a rollback would not arrive
                log.exception("an error inside the SDK's poller; it goes on")
                pause = self._poll_interval
            self._sleep(pause)
        self._say_goodbye()

    def _sleep(self, pause: float) -> None:
        with self._condition:
            self._condition.wait_for(self._has_news, pause)

    def _say_goodbye(self) -> None:
        try:
            self._exchange.report(last=True, enough=self._too_late)
        except Exception:  # noqa: BLE001 - nor may a bug of ours spoil the end of the host
            log.exception("the last report was not sent")
        finally:
            self._exchange.hang_up()
            self._ended = True
        self._tell()

    def _running(self) -> bool:
        return self._thread is not None

    def _closing(self) -> bool:
        return self._close_by is not None

    def _has_news(self) -> bool:
        return self._closing() or self._hurried or self._flushes_wanted > self._flushes_done

    def _too_late(self) -> bool:
        return self._close_by is not None and monotonic() >= self._close_by

    def _tell(self) -> None:
        with self._condition:
            self._condition.notify_all()


def _jitter() -> float:
    # From the system: `random` would cost a host a tenth of this package's import.
    return 0.9 + 0.2 * int.from_bytes(os.urandom(2), "big") / 0xFFFF
