import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from throwbar.comparison import Compare, Outcome, PairResult
from throwbar.errors import ConfigurationError
from throwbar.parts import MISSING
from throwbar.paths import spell

NAMES = st.sampled_from(["id", "name", "meta", "ts", "tags", "odd name"])
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text("ab", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


def compare(baseline, candidate, **how):
    return Compare(**how).outcomes(Outcome(baseline, None, 1), Outcome(candidate, None, 1))


def result(baseline, candidate, **how):
    return compare(baseline, candidate, **how).result


def places(baseline, candidate, **how):
    return [spell(difference.path) for difference in compare(baseline, candidate, **how).differences]


@given(VALUES)
def test_a_value_matches_itself(value):
    assert result(value, value) is PairResult.MATCH


@given(VALUES, VALUES)
def test_swapping_the_sides_swaps_the_differences_and_changes_no_result(one, other):
    there, back = compare(one, other), compare(other, one)

    assert there.result is back.result
    if len(there.differences) < 10:
        assert {spell(difference.path) for difference in there.differences} == {
            spell(difference.path) for difference in back.differences
        }


@given(VALUES, VALUES)
def test_what_is_equal_matches_and_only_tolerance_forgives_the_rest(one, other):
    exact = result(one, other, float_rel=0, float_abs=0)

    assert exact is (PairResult.MATCH if one == other else PairResult.MISMATCH)


@given(st.dictionaries(NAMES, VALUES), VALUES, VALUES)
def test_an_ignored_place_may_hold_anything(rest, here, there):
    one, other = rest | {"meta": {"ts": here, "kept": 1}}, rest | {"meta": {"ts": there, "kept": 1}}

    assert result(one, other, ignore=["$.meta.ts"]) is PairResult.MATCH
    assert result(one, rest | {"meta": {"kept": 1}}, ignore=["$.meta.ts"]) is PairResult.MATCH


@given(st.dictionaries(NAMES, VALUES), VALUES, VALUES)
def test_ignoring_one_place_hides_no_other(rest, here, there):
    assume(result(here, there) is PairResult.MISMATCH)

    found = places(rest | {"name": here}, rest | {"name": there}, ignore=["$.meta"])

    assert found
    assert all(place.startswith("$.name") for place in found)


@given(st.lists(VALUES, max_size=6), st.randoms(use_true_random=False))
def test_an_unordered_list_matches_any_order_of_itself(values, random):
    shuffled = random.sample(values, len(values))

    assert result({"tags": values}, {"tags": shuffled}, unordered=["$.tags"]) is PairResult.MATCH


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_an_unordered_list_is_a_bag_and_not_a_set(one, other):
    matches = result(one, other, unordered=["$"]) is PairResult.MATCH

    assert matches == (sorted(one) == sorted(other))


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_an_unordered_list_finds_partners_within_the_tolerance_whatever_the_order(values, random):
    moved = [value + 0.9 for value in values]
    random.shuffle(moved)

    assert result(values, moved, unordered=["$"], float_abs=1) is PairResult.MATCH


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.floats(0, 0.5))
def test_numbers_are_as_close_as_the_standard_library_says(one, other, tolerance):
    matches = result({"price": one}, {"price": other}, float_rel=tolerance) is PairResult.MATCH

    assert matches == math.isclose(one, other, rel_tol=tolerance, abs_tol=0)


def test_tolerance_is_for_floats_because_whole_numbers_are_often_names():
    big = 10**15

    assert result(big, big + 1, float_rel=0.1) is PairResult.MISMATCH
    assert result(float(big), big + 1, float_rel=0.1) is PairResult.MATCH
    assert result(True, 1.05, float_rel=0.1) is PairResult.MISMATCH
    assert result(10**400, 1e300, float_rel=0.1) is PairResult.MISMATCH


def test_two_numbers_that_are_none_match():
    assert result([float("nan")], [float("nan")]) is PairResult.MATCH


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3]}, ["$.b[1]"]),
        ({"a": 1}, {}, ["$.a"]),
        ([1, 2], [1], ["$[1]"]),
        ({"odd name": 1}, {"odd name": 2}, ['$["odd name"]']),
        ({3: "x"}, {3: "y"}, ["$[3]"]),
        ((1, 2), [1, 2], ["$"]),
        ("a", None, ["$"]),
        ({1, 2}, {2, 3}, ["$[*]", "$[*]"]),
        ({"tags": ["a", "b"]}, {"tags": ["b", "c"]}, ["$.tags[*]", "$.tags[*]"]),
    ],
)
def test_a_mismatch_says_where(one, other, found):
    assert places(one, other, unordered=["$.tags"]) == found


def test_what_one_side_has_not_is_missing_there():
    difference = compare({"a": None}, {}).differences[0]

    assert (difference.baseline, difference.candidate) == (None, MISSING)


def test_a_mismatch_tells_ten_places_and_no_more():
    assert len(places(list(range(50)), list(range(1, 51)))) == 10


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Order:
    id: int
    lines: list


class Plain:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Slotted:
    __slots__ = ("__hidden", "seen")

    def __init__(self, hidden, seen):
        self.__hidden = hidden
        self.seen = seen


class Closed:
    """Its state is where nobody looks."""

    def __eq__(self, other):
        return self is other

    __hash__ = None


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (Point(1, 2), Point(1, 3), ["$.y"]),
        (Order(1, [2]), Order(1, [3]), ["$.lines[0]"]),
        (Plain(a=Plain(b=1)), Plain(a=Plain(b=2)), ["$.a.b"]),
        (SimpleNamespace(a=1), SimpleNamespace(a=2), ["$.a"]),
        (Slotted(1, 2), Slotted(9, 2), ["$._Slotted__hidden"]),
        (Plain(a=1), SimpleNamespace(a=1), ["$"]),
        ([Closed()], [Closed()], ["$[0]"]),
        (Plain(a=1), Plain(a=1), []),
        ([Plain(a=[Plain(b=1)])], [Plain(a=[Plain(b=1)])], []),
    ],
)
def test_objects_are_compared_by_their_attributes_unless_their_own_equality_knows_more(one, other, found):
    assert places(one, other) == found


def test_values_that_contain_themselves_can_be_compared():
    def circle(end):
        value = {"next": [], "end": end}
        value["next"].append(value)
        return value

    assert result(circle(1), circle(1)) is PairResult.MATCH
    assert places(circle(1), circle(2)) == ["$.end"]


def test_a_value_too_deep_or_too_large_to_look_through_is_no_match_and_no_mismatch():
    def deep(end):
        value = end
        for _ in range(200):
            value = [value]
        return value

    assert result(deep(1), deep(2)) is PairResult.COMPARE_ERRORS
    assert result([{"ts": n} for n in range(20_000)], [{"ts": -n} for n in range(20_000)], ignore=["$..ts"]) is (
        PairResult.COMPARE_ERRORS
    )
    assert result(deep(1), deep(1)) is PairResult.MATCH


def test_long_unordered_lists_of_words_are_still_compared():
    words = [f"word {number}" for number in range(20_000)]

    assert result(words, words[::-1], unordered=["$"]) is PairResult.MATCH
    assert places(words, [*words[:0:-1], "another"], unordered=["$"]) == ["$[*]", "$[*]"]


def test_the_users_function_decides_alone():
    assert result(1, 2, custom=lambda baseline, candidate: baseline < candidate) is PairResult.MATCH
    assert result(2, 1, custom=lambda baseline, candidate: baseline < candidate) is PairResult.MISMATCH
    assert places({"a": 1}, {"a": 1}, custom=lambda baseline, candidate: False) == ["$"]
    assert places({"a": 1}, {"a": 2}, custom=lambda baseline, candidate: False) == ["$.a"]


class Touchy:
    def __eq__(self, other):
        raise RuntimeError("do not touch")

    __hash__ = None


def test_an_exception_in_the_users_comparison_is_counted_and_not_raised():
    def broken(baseline, candidate):
        raise KeyError("total")

    assert result(1, 2, custom=broken) is PairResult.COMPARE_ERRORS
    assert result(Touchy(), 3) is PairResult.COMPARE_ERRORS


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        ("application", "application", PairResult.MATCH),
        ("expected NotFound", "expected NotFound", PairResult.MATCH),
        ("application", "timeout", PairResult.MISMATCH),
        ("application", None, PairResult.FAILED),
        (None, "timeout", PairResult.FAILED),
    ],
)
def test_calls_that_raised_are_compared_by_category(baseline, candidate, expected):
    found = Compare().outcomes(Outcome(None, baseline, 1), Outcome(None, candidate, 1))

    assert found.result is expected
    assert bool(found.differences) == (expected is PairResult.MISMATCH)


@pytest.mark.parametrize(
    "how",
    [
        {"ignore": "$.a"},
        {"ignore": ["meta.ts"]},
        {"ignore": ["$.a["]},
        {"unordered": ["$.a[x]"]},
        {"show": [3]},
        {"float_rel": -1},
        {"float_abs": float("nan")},
        {"custom": "equal"},
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused_where_it_is_written(how):
    with pytest.raises(ConfigurationError):
        Compare(**how)
