import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar.comparison import Compare, Outcome, PairResult
from throwbar.paths import Places, spell


def result(one, other, ignore):
    return Compare(ignore).outcomes(Outcome(one, None, 1), Outcome(other, None, 1)).result


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("$.items[*].id", True),
        ("$.items[0].id", True),
        ("$.items[1].id", False),
        ("$.*[0].id", True),
        ("$..id", True),
        ("$..item", False),
        ('$["items"][0]["id"]', True),
        ("$.items", True),
        ("$.item", False),
        ("$", True),
    ],
)
def test_a_pattern_names_its_places_and_what_is_below_them(pattern, ignored):
    matches = result({"items": [{"id": 1}]}, {"items": [{"id": 2}]}, [pattern]) is PairResult.MATCH

    assert matches is ignored


@given(st.lists(st.text() | st.integers(0, 999), max_size=5))
def test_the_spelling_of_a_place_is_a_pattern_that_names_it(path):
    path = tuple(path)

    assert Places([spell(path)]).hold(path)
    assert not Places([spell(path)]).hold((*path, "deeper"))
