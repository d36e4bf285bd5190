import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import words

THIN = "\u202f"


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(0.0, "0"), (1.0, "100"), (0.5, "50"), (0.0123, "1.2"), (0.05, "5"), (0.00123, "0.12"), (0.0000123, "0.0012")],
)
def test_a_rate_is_shown_in_percent(rate, shown):
    assert words.percent(rate) == f"{shown}{THIN}%"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0 ms"),
        (0.00045, "0.45 ms"),
        (0.045, "45 ms"),
        (0.9991, "999 ms"),
        (0.9996, "1 s"),
        (1.234, "1.23 s"),
        (119.9, "120 s"),
        (180, "3 min"),
        (7200, "2 h"),
        (432_000, "5 days"),
        (86_400_000, "1000 days"),
    ],
)
def test_a_duration_is_shown_in_the_unit_a_person_would_choose(value, shown):
    assert words.seconds(value) == shown.replace(" ", THIN)


@given(st.floats(0, 1e9))
def test_no_duration_is_shown_with_an_exponent(value):
    assert re.fullmatch(rf"\d+(\.\d+)?{THIN}(ms|s|min|h|days)", words.seconds(value))


@given(st.floats(1e-9, 1))
def test_no_rate_above_zero_is_shown_as_zero(rate):
    assert float(words.percent(rate).removesuffix(f"{THIN}%")) > 0


def test_large_counts_are_grouped():
    assert words.count(1234567) == f"1{THIN}234{THIN}567"
