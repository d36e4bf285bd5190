import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.bucketing import bucket, hash32
from controlplane.domain.share import FULL

GOLDEN = Path(__file__).parents[2] / "contract" / "bucketing.json"
VECTORS = json.loads(GOLDEN.read_text())["vectors"]
KEYS = st.text(st.characters(codec="utf-8"), max_size=300)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['flag_key']}/{each['key']}"[:40])
def test_the_hash_is_the_published_one(vector):
    assert hash32(vector["flag_key"], vector["key"]) == vector["hash"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['flag_key']}/{each['key']}"[:40])
def test_the_variant_is_the_published_one_in_the_listed_order(vector):
    drawn = bucket(vector["flag_key"], vector["key"], sum(weight for _, weight in vector["weights"]))

    assert _variant(vector["weights"], drawn) == vector["variant"]


def _variant(weights, drawn):
    upper = 0
    for name, weight in weights:
        upper += weight
        if drawn < upper:
            return name
    raise AssertionError(drawn)


@given(KEYS, KEYS)
def test_a_bucket_is_one_of_100_000_and_always_the_same(flag_key, key):
    assert 0 <= bucket(flag_key, key) < FULL
    assert bucket(flag_key, key) == bucket(flag_key, key)


@given(KEYS, st.lists(st.integers(0, FULL), min_size=2, max_size=8))
def test_raising_a_share_never_moves_a_key_back(key, shares):
    served = [bucket("dspex-bridge", key) < share for share in sorted(shares)]

    assert all(later or not earlier for earlier, later in pairwise(served))


def test_cohorts_nest_as_the_share_grows():
    keys = [f"session-{number}" for number in range(5000)]
    cohorts = [{key for key in keys if bucket("f", key) < share} for share in (1000, 10_000, 50_000, FULL)]

    assert all(smaller < larger for smaller, larger in pairwise(cohorts))
    assert len(cohorts[-1]) == len(keys)


def test_two_flags_draw_different_cohorts():
    keys = [f"session-{number}" for number in range(5000)]
    first, second = ({key for key in keys if bucket(flag, key) < 10_000} for flag in ("one", "two"))

    assert len(first & second) < 150  # independent: 50 in expectation, 500 if they were the same


def test_a_share_of_one_percent_serves_about_one_key_in_a_hundred():
    served = sum(bucket("dspex-bridge", f"session-{number}") < 1000 for number in range(50_000))

    assert 400 < served < 600
