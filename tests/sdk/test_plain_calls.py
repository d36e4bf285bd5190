"""A call that goes well takes a way of its own. Can anybody tell it from the general way, by anything but its cost?"""

from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import throwbar
from tests.sdk.fake_control_plane import PerfClock
from tests.sdk.routing import Service, refused
from throwbar import runner
from throwbar.harvest import settle_all

MS = 1_000_000


class Tenant(str, Enum):  # noqa: UP042 - whose text is not what it encodes to
    ONE = "k"


ARGUMENTS = (("plain", {}), ("named", {"by": "name"}))
KEYS = st.sampled_from(["k", "a longer key", "ä", "\ud800", None, 7, Tenant.ONE])
ERRORS = st.sampled_from([None] * 6 + [refused, lambda: TimeoutError("late"), lambda: ValueError("theirs")])
TIMES = st.sampled_from([0, 1, 900, MS, 7 * MS, 999 * MS, 1_000 * MS, 1_100 * MS])
CALLS = st.tuples(st.just("call"), KEYS, st.lists(ERRORS, min_size=4, max_size=4), TIMES, st.sampled_from(ARGUMENTS))
CHANGES = st.sampled_from(
    [
        *[("share", share) for share in (0, 30_000, 100_000)],
        *[("mode", mode) for mode in ("auto", "forced_open", "metrics_only", "shadow")],
        *[("wait", seconds) for seconds in (1, 9, 40)],
        *[("declare", None), ("seal", None)],
    ]
)


class World:
    """A service on clocks set by hand, of which everything that it does and counts can be told."""

    def __init__(self, *, plain: bool, by_route: bool) -> None:
        self.perf = PerfClock()
        self.service = Service(50_000)
        engine = self.service.client.engine
        engine.perf_clock_ns = engine.tally.perf_clock_ns = self.perf
        engine.hurry = lambda: None  # or the poller reports once more, a second of real time later
        self.plain = plain
        self.by_route = by_route
        self.told: list[object] = []
        self.declare()

    def declare(self) -> None:
        declared = {"kind": throwbar.READ, "retry": throwbar.Retry(base=0.0)}
        with pytest.MonkeyPatch.context() as patch:
            if not self.plain:
                patch.setattr(runner, "plain_run", lambda engine, binding, pair, general, go_on: general)
            if self.by_route:
                decorate = self.service.orders.route(
                    "read", candidate=self.side("new"), key=lambda errors, took, key, text, **_: key, **declared
                )
                self.routed = decorate(self.side("old"))
            else:
                operation = self.service.orders.operation("read", **declared)
                operation.baseline(self.side("old"))
                operation.candidate(self.side("new"))
                self.routed = lambda *args, **named: operation(*args, key=args[2], **named)
        self.guards = self.service.orders._bind("read").guards
        for guard in self.guards:
            guard.breaker._clock_ns = self.perf
            guard.breaker._chance = lambda: 0.5

    def side(self, name):
        def function(errors, took, key, text, **named):
            self.perf.now += took
            error = errors.pop(0)
            self.told.append((name, text, named))
            if error is not None:
                raise error()
            return name

        return function

    def do(self, kind, *details) -> None:
        getattr(self, f"do_{kind}")(*details)

    def do_call(self, key, errors, took, arguments) -> None:
        text, named = arguments
        self.told.append(self.service.orders.decide("read", key=key))
        try:
            self.told.append(self.routed(list(errors), took, key, text, **named))
        except Exception as error:  # noqa: BLE001 - whatever a caller may get
            self.told.append((type(error), str(error), type(error.__context__)))

    def do_share(self, share) -> None:
        self.service.serve(share)

    def do_mode(self, mode) -> None:
        if mode == "shadow":
            self.service.serve(50_000, mode="shadow", shadow_share=0)  # a second call would end at any time
        else:
            self.service.serve(50_000, breaker={"mode": mode})

    def do_wait(self, seconds) -> None:
        self.service.clock.tick(seconds)
        self.perf.now += seconds * 1_000 * MS

    def do_declare(self, _) -> None:
        self.declare()

    def do_seal(self, _) -> None:
        for thread in self.service.client.engine.tally.threads:
            for cell in thread.live:
                cell.sealed = True

    def close(self) -> None:
        self.service.client.close()

    def everything(self) -> list[object]:
        tally, client = self.service.client.engine.tally, self.service.client
        guards = [
            (
                guard.breaker.state_document() | {"for_seconds": 0},
                guard.retries.calls,
                guard.fallbacks.calls,
                guard.retries.denied,
            )
            for guard in self.guards
        ]
        sums, unfinished = settle_all(tally)
        reported = [cell for report in self.service.server.reports for cell in report["cells"]]
        errors = client.status().internal_errors
        return [*self.told, guards, sorted(sums, key=lambda total: total.identity), reported, unfinished, errors]


@pytest.mark.parametrize("by_route", [False, True])
@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.one_of(CALLS, CALLS, CALLS, CHANGES), max_size=20), after=CALLS)
def test_whatever_happens_both_ways_return_raise_decide_and_count_the_same(steps, after, by_route):
    worlds = [World(plain=plain, by_route=by_route) for plain in (True, False)]

    for world in worlds:
        for step in steps:
            world.do(*step)
        world.close()
        world.do(*after)

    plain, general = (world.everything() for world in worlds)
    assert plain == general


def test_the_second_call_of_a_bucket_takes_the_short_way(monkeypatch):
    service = Service(100_000)
    operation = service.operation(lambda: "new")
    operation(key="k")
    monkeypatch.setattr(throwbar.binding.Binding, "open", lambda *_: pytest.fail("the general way"))

    assert operation(key="k") == "new"
    service.client.close()
