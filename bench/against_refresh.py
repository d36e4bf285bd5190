"""What does a new snapshot cost, from its bytes to being in force, and for how long do other threads wait?"""

import json
import threading
import time
from collections.abc import Iterator
from functools import partial

from bench.our_client import a_plane
from bench.peers import growthbook_features, launchdarkly_flags, unleash_features
from bench.scale import Scale
from bench.scores import Run, Score, present, race
from throwbar.snapshot import NOTHING, Snapshot, compile_snapshot, parse

OURS = "throwbar, all flags new"
ONE = "throwbar, one flag changed"


def scores(scale: Scale) -> Iterator[Score]:
    plane = a_plane(scale)
    body = plane("GET", "/", {}, None, 1.0)[2]
    plane.set("flag-7", echo=50)
    changed = plane("GET", "/", {}, None, 1.0)[2]
    known = compile_snapshot(parse(body))
    runs: dict[str, Run] = {
        OURS: _taking(body, NOTHING),
        ONE: _taking(changed, known),
        **present({name: partial(make, scale.flags) for name, make in PEERS.items()}),
    }
    best = {name: micros / 1000 for name, micros in race(runs, scale.rounds).items()}
    goals = {OURS: ("≤ 15 ms CPU", best[OURS] <= 15), ONE: ("≤ 5 ms CPU", best[ONE] <= 5)}
    for name, millis in best.items():
        goal, met = goals.get(name, ("", None))
        yield Score(name, f"{millis:.1f} ms", f"{millis / best[OURS]:.1f}", goal, met)
    pause = min(_longest_pause(body) for _ in range(scale.rounds)) * 1000
    yield Score("throwbar, longest wait of another thread", f"{pause:.1f} ms", "", "≤ 10 ms", pause <= 10)


def _taking(body: bytes, previous: Snapshot) -> Run:
    def run() -> int:
        compile_snapshot(parse(body), previous, breathe=lambda: time.sleep(0))
        return 1

    return run


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


def _longest_pause(body: bytes) -> float:
    """Seconds that a thread which only looks at the clock did not get to, while a snapshot was taken."""
    stop, longest = threading.Event(), [0.0]

    def look() -> None:
        last = time.perf_counter()
        while not stop.is_set():
            now = time.perf_counter()
            longest[0] = max(longest[0], now - last)
            last = now

    watcher = threading.Thread(target=look)
    watcher.start()
    time.sleep(0.02)
    longest[0] = 0.0
    _taking(body, NOTHING)()
    stop.set()
    watcher.join()
    return longest[0]
