"""What does a new snapshot cost, from its bytes to being in force, and how long do other threads wait?"""

import json
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from bench.fixtures import document
from bench.peers import growthbook_features, launchdarkly_flags, unleash_features
from bench.scale import Scale
from bench.scores import Run, Score, present, race
from throwbar.snapshot import NOTHING, Snapshot, compile_snapshot, parse

OURS, EVERY = "throwbar, all flags new", "throwbar, all flags changed"
ONE = "throwbar, one flag changed"


def scores(scale: Scale) -> Iterator[Score]:
    body = json.dumps(document(scale.flags)).encode()
    one = document(scale.flags, version=2)
    one["flags"]["flag-7"]["operations"]["echo"]["share"] = 0
    every = document(scale.flags, version=2, share=20_000)
    known = compile_snapshot(parse(body))
    runs: dict[str, Run] = {
        OURS: _taking(body, NOTHING),
        EVERY: _taking(json.dumps(every).encode(), known),
        ONE: _taking(json.dumps(one).encode(), known),
        **present({name: partial(make, scale.flags) for name, make in PEERS.items()}),
    }
    best = {name: micros / 1000 for name, micros in race(runs, scale.rounds).items()}
    goals = {name: ("≤ 15 ms CPU", best[name] <= 15) for name in (OURS, EVERY)}
    goals |= {ONE: ("≤ 5 ms CPU", best[ONE] <= 5)}
    for name, millis in best.items():
        goal, met = goals.get(name, ("", None))
        yield Score(name, f"{millis:.1f} ms", f"{millis / best[OURS]:.1f}", goal, met)
    hold = min(_longest_hold(body) for _ in range(scale.rounds))
    yield Score("throwbar, longest that other threads wait", f"{hold:.1f} ms", "", "≤ 10 ms CPU", hold <= 10)


def _taking(body: bytes, previous: Snapshot) -> Run:
    def run() -> int:
        compile_snapshot(parse(body, previous.flags, _breathe), previous, breathe=_breathe)
        return 1

    return run


def _breathe() -> None:
    time.sleep(0)


def _launchdarkly(flags: int) -> Run:
    from ldclient.feature_store import InMemoryFeatureStore
    from ldclient.versioned_data_kind import FEATURES, SEGMENTS

    body, store = json.dumps(launchdarkly_flags(flags)), InMemoryFeatureStore()

    def run() -> int:
        decoded = {key: FEATURES.decode(flag) for key, flag in json.loads(body).items()}
        store.init({FEATURES: decoded, SEGMENTS: {}})
        return 1

    return run


def _unleash(flags: int) -> Run:
    from yggdrasil_engine.engine import UnleashEngine

    body, engine = json.dumps(unleash_features(flags)), UnleashEngine()

    def run() -> int:
        engine.take_state(body)
        return 1

    return run


def _growthbook(flags: int) -> Run:
    from growthbook import GrowthBook

    body, book = json.dumps(growthbook_features(flags)), GrowthBook()

    def run() -> int:
        book.set_features(json.loads(body))
        return 1

    return run


PEERS = {
    "LaunchDarkly, parse and init its store": _launchdarkly,
    "Unleash, its engine's take_state": _unleash,
    "GrowthBook, parse and set_features": _growthbook,
}


def _longest_hold(body: bytes) -> float:
    """Milliseconds of CPU between two moments at which other threads are let through: so long do they wait for us.

    Not by the wall clock, which on a busy machine counts the neighbours.
    """
    marks = [time.thread_time_ns()]

    def breathe() -> None:
        marks.append(time.thread_time_ns())

    compile_snapshot(parse(body, NOTHING.flags, breathe), breathe=breathe)
    marks.append(time.thread_time_ns())
    return max(after - before for before, after in pairwise(marks)) / 1e6
