"""Random lives of a breaker beside a model that keeps every call it ever heard of. The long run: `make soak`."""

import os
import random

import pytest

from throwbar.breaker import Breaker
from throwbar.circuit import BreakerSettings, Mode, State

LIVES = 100_000 if os.environ.get("LONG_TESTS") else 2_000
PARTS = 10
SECOND = 1_000_000_000
PART = 3 * SECOND  # every step of time is a multiple of it, so a sub-window holds calls of one moment
SLOW, FAST, LEASE = 4 * SECOND // 5, 1, 6 * SECOND
SETTINGS = BreakerSettings()
RESULTS = [("ok", FAST), ("ok", FAST), ("ok", SLOW), ("soft", FAST), ("hard", FAST), ("hard", SLOW), ("released", 0)]
TEMPERS = [RESULTS, RESULTS[:1], RESULTS[:1], RESULTS[2:3], RESULTS[3:4], RESULTS[4:6], RESULTS[6:], RESULTS[3:]]


class Model:
    """What the design says, without a care for memory or speed. Its state changes only when it is asked or told."""

    def __init__(self):
        self.mode, self.state, self.period, self.now, self.in_a_row = Mode.AUTOMATIC, State.CLOSED, 0, 0, 0
        self.close()

    def close(self):
        self.state, self.since, self.calls, self.period = State.CLOSED, self.now, [], self.period + 1
        self.quiet_until = self.now

    def open(self):
        seconds = min(30 * 2**self.in_a_row, 300)
        self.state, self.until, self.period = State.OPEN, self.now + seconds * SECOND, self.period + 1
        self.in_a_row += 1

    def set_mode(self, mode):
        if mode is self.mode:
            return
        self.mode, self.in_a_row = mode, 0
        self.close()
        if mode is Mode.FORCED_OPEN:
            self.state, self.until = State.OPEN, float("inf")

    def acquire(self):
        self.run_out()
        if self.state is State.OPEN and self.now >= self.until:
            self.state, self.period, self.found, self.leases = State.HALF_OPEN, self.period + 1, [], {}
            self.limit = self.now + 30 * SECOND
        if self.state is State.CLOSED:
            return self.period, None
        if self.state is State.OPEN or len(self.leases) == 3 or len(self.leases) + len(self.found) >= 5:
            return None
        number = (self.period, object())
        self.leases[number] = self.now + LEASE
        return number

    def tell(self, permit, result, duration):
        period, probe = permit
        if result != "released":
            self.run_out()
        if period != self.period:
            return
        if self.state is State.CLOSED and result != "released":
            self.calls.append((self.now, result, duration >= SLOW))
            self.judge(result, slow=duration >= SLOW)
        elif probe and self.leases.pop(permit, None) is not None and result != "released":
            self.found.append((result, duration >= SLOW))
            self.run_out()

    def judge(self, result, *, slow):
        if self.mode is not Mode.AUTOMATIC or (result == "ok" and not slow):
            return
        window = [call for call in self.calls if self.now - call[0] < 30 * SECOND]
        hard = result == "hard" and [call[1] for call in self.calls[-5:]] == ["hard"] * 5
        failed = sum(call[1] != "ok" for call in window) >= 0.5 * len(window)
        slow = sum(call[2] for call in window) >= 0.8 * len(window)
        if hard or (len(window) >= 20 and (failed or slow)):
            if self.now - self.since >= 300 * SECOND:
                self.in_a_row = 0
            self.open()

    def run_out(self):
        if self.state is not State.HALF_OPEN:
            return
        for number in [number for number, end in self.leases.items() if self.now >= end]:
            del self.leases[number]
            self.found.append(("hard", True))
        if len(self.found) < 5 and self.now < self.limit:
            return
        bad, slow = sum(found[0] != "ok" for found in self.found), sum(found[1] for found in self.found)
        if self.found and bad < 0.5 * len(self.found) and slow < 0.8 * len(self.found):
            self.close()
        else:
            self.open()


class Life:
    """The breaker and its model, told the same."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.model = Model()
        self.breaker = Breaker(deadline=1.0, clock_ns=lambda: self.model.now, chance=lambda: 0.5)
        self.held = []

    def acquire(self):
        expected = self.model.acquire()
        permit = self.breaker.passing or self.breaker.acquire(self.model.now)
        assert (permit is None) == (expected is None), "let through, or refused, against the design"
        if permit is not None:
            self.held.append((permit, expected))

    def tell(self):
        result, duration = self.random.choice(self.temper)
        # Most often a call of now; also one that was told before, or forgotten for long.
        permit, expected = self.random.choice(self.held[-4:] if self.random.random() < 0.7 else self.held)
        self.model.tell(expected, result, duration)
        if result == "released":
            permit.released()
        elif result == "ok":
            permit.succeeded(self.model.now, duration)
        else:
            permit.failed(self.model.now, duration, hard=result == "hard")

    def step(self):
        what = self.random.random()
        if what < 0.45:
            self.acquire()
        elif what < 0.9:
            if self.held:
                self.tell()
        elif what < 0.97:
            self.model.now += PART * self.random.choice([1, 1, 1, 2, 10, 10, 40, 120])
        elif what < 0.973:
            mode = self.random.choice(list(Mode))
            self.model.set_mode(mode)
            self.breaker.set_mode(mode)
        else:
            self.held = self.held[-30:]
            self.temper = self.random.choice(TEMPERS)
        assert self.breaker.state_document()["state"] == self.model.state

    def live(self, steps):
        self.temper = self.random.choice(TEMPERS)
        for _ in range(steps):
            self.step()

    def seconds_until_closed(self, pause):
        """From now on the backend is well and a call comes every `pause` seconds."""
        self.breaker.set_mode(Mode.AUTOMATIC)
        began = self.model.now
        while self.breaker.passing is None and self.model.now - began < 10_000 * SECOND:
            if permit := self.breaker.acquire(self.model.now):
                permit.succeeded(self.model.now, FAST)
            self.model.now += int(pause * SECOND)
        return (self.model.now - began) / SECOND


@pytest.mark.soak
def test_row_15_no_sequence_of_events_leaves_the_design_or_wedges_the_breaker():
    states, closed_after = set(), []
    for seed in range(LIVES):
        life = Life(seed)
        try:
            life.live(life.random.randrange(1, 250))
            states.add(life.model.state)
            pause = life.random.choice([0.1, 1.0, 20.0, 400.0])
            seconds = life.seconds_until_closed(pause)
        except AssertionError as error:
            raise AssertionError(f"life {seed}: {error}") from error
        closed_after.append(seconds)
        # The longest open time, twice (probes lost before may fail the first half-open period), and a call's wait each.
        assert seconds <= 2 * (SETTINGS.open_cap_seconds + SETTINGS.half_open_seconds) + 6 * pause, f"life {seed}"

    assert states == set(State)
    assert max(closed_after) > SETTINGS.open_cap_seconds
