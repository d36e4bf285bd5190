"""Does a pack give back what was put into it, and is it small?"""

import json
import random
from dataclasses import asdict, fields, replace

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.arm import Arm
from controlplane.domain.flag import Side
from controlplane.domain.histogram import HIGHEST, LOWEST
from controlplane.store.packing import PACKED, SHOWN, pack, unpack
from controlplane.store.reports import Place
from controlplane.store.tables import buckets

COUNTS = st.integers(0, 2**53)
HISTOGRAMS = st.dictionaries(st.integers(LOWEST, HIGHEST), st.integers(1, 2**40), max_size=5)
TALLIES = st.dictionaries(st.sampled_from(["timeout", "system", "match"]), COUNTS, max_size=2)
PLACES = st.builds(
    Place,
    flag=st.just("dspex-bridge"),
    start=st.integers(0, 2**40),
    operation=st.just("echo"),
    attempt=st.integers(0, 3),
    side=st.sampled_from(Side),
    backend=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=5),
    assigned_by=st.sampled_from(["share", "rule"]),
    share=st.integers(0, 100_000),
    late=st.booleans(),
)
ARMS = st.builds(
    Arm,
    **dict.fromkeys(("calls", "bad", "cancelled", "pending", "keys", "bad_keys", "retries"), COUNTS),
    **dict.fromkeys(("fallbacks", "unknown"), COUNTS),
    **dict.fromkeys(("latency", "key_latency", "rise_from", "rise_to", "ratio"), HISTOGRAMS),
    **dict.fromkeys(("errors", "shadow"), TALLIES),
    strayed_keys=st.none() | COUNTS,
)


@given(cells=st.dictionaries(PLACES, ARMS, max_size=8))
def test_what_is_packed_comes_back_whole_and_in_the_order_of_time(cells):
    found = unpack(pack(list(cells.items())), "dspex-bridge", "echo")

    assert dict(found) == cells
    assert [place.start for place, _ in found] == sorted(place.start for place in cells)


@given(cells=st.dictionaries(PLACES, ARMS, max_size=8))
def test_what_is_packed_can_be_read_without_the_histograms_of_its_keys(cells):
    shown = {place: replace(arm, key_latency={}, rise_from={}, rise_to={}) for place, arm in cells.items()}

    assert dict(unpack(pack(list(cells.items())), "dspex-bridge", "echo", SHOWN)) == shown


def test_whatever_an_arm_counts_is_packed_and_has_a_column():
    counted = {each.name for each in fields(Arm)}

    assert set(PACKED) == counted
    assert counted <= set(buckets.c.keys())


def test_a_packed_cell_takes_an_eighth_of_a_row_of_json():
    dice = random.Random(1)
    first = Place("dspex-bridge", 0, "echo", 1, Side.CANDIDATE, "snakepit", "share", 1000)
    cells = [(replace(first, start=10 * number), a_busy_arm(dice)) for number in range(60)]
    rows = sum(len(json.dumps({**asdict(place), **asdict(arm)})) for place, arm in cells)

    assert len(pack(cells)) * 8 < rows


def a_busy_arm(dice):
    """A hundred calls of sixty keys in ten seconds."""
    latency, keys = (histogram_of(dice, size) for size in (100, 60))
    return Arm(calls=100, keys=60, latency=latency, key_latency=keys, rise_to=histogram_of(dice, 6))


def histogram_of(dice, size):
    seen = {}
    for _ in range(size):
        index = round(dice.gauss(40, 8))
        seen[index] = seen.get(index, 0) + 1
    return seen
