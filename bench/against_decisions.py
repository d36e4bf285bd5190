"""What does a decision cost, here and there: any of many flags, a sticky share of 10 %, another key each time?"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.our_client import a_client, a_plane
from bench.peers import PEERS, Decide
from bench.scale import Scale
from bench.scores import Run, Score, beside, present, race
from throwbar.decision import decide
from throwbar.snapshot import compile_snapshot, parse

OURS = "throwbar, decide"


def scores(scale: Scale) -> Iterator[Score]:
    with TemporaryDirectory() as folder, ExitStack() as until:
        plane = a_plane(scale)
        client = a_client(plane)
        runs: dict[str, Run] = {
            OURS: _deciding(plane, scale),
            "throwbar, Migration.decide as a service calls it": _migration_deciding(client, scale),
        }
        peers = present({name: partial(_asking, make, Path(folder), until, scale) for name, make in PEERS.items()})
        runs |= peers
        best = race(runs, scale.rounds)
        client.close()
    ours, *others = beside(best, OURS)
    yield Score(ours.name, ours.figure, ours.ratio, "≤ 0.40 µs", best[OURS] <= 0.40)
    yield from others
    if peers:
        gain = min(best[name] for name in peers) / best[OURS]
        yield Score("the fastest of these peers ÷ ours", f"{gain:.1f}×", "", "≥ 15×", gain >= 15)


def _calls(scale: Scale) -> list[tuple[str, str]]:
    return [(f"flag-{number * 7 % scale.flags}", f"session-{number:08d}") for number in range(scale.calls)]


def _deciding(plane: Callable, scale: Scale) -> Run:
    body = plane("GET", "/sdk/v1/snapshot", {}, None, 1.0)[2]
    flags = compile_snapshot(parse(body)).flags
    calls = [(flags[flag].plan("echo"), key) for flag, key in _calls(scale)]

    def run() -> int:
        for plan, key in calls:
            decide(plan, key)
        return len(calls)

    assert 0.05 < _share(lambda flag, key: decide(flags[flag].plan("echo"), key).candidate) < 0.15
    return run


def _share(ask: Decide) -> float:
    """How many of some sessions get the candidate: about 10 % of them, where all is well."""
    return sum(ask("flag-7", f"session-{number:08d}") for number in range(4_000)) / 4_000


def _migration_deciding(client, scale: Scale) -> Run:
    calls = [(client.migration(flag), key) for flag, key in _calls(scale)]

    def run() -> int:
        for migration, key in calls:
            migration.decide("echo", key=key)
        return len(calls)

    return run


def _asking(make: Callable[[int, Path, ExitStack], Decide], folder: Path, until: ExitStack, scale: Scale) -> Run:
    ask = make(scale.flags, folder, until)
    calls = _calls(scale)

    def run() -> int:
        for flag, key in calls:
            ask(flag, key)
        return len(calls)

    assert 0.05 < _share(ask) < 0.15, f"{make.__name__} is not set up as meant"
    return run
