from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.share import FULL, from_percent, to_percent


@given(st.integers(0, FULL))
def test_every_share_is_a_percent_and_comes_back_as_the_same_share(share):
    assert from_percent(to_percent(share)) == share


@given(st.integers(0, 100_000))
def test_a_thousandth_of_a_percent_is_one_bucket(thousandths):
    assert from_percent(Decimal(thousandths) / 1000) == thousandths


@pytest.mark.parametrize("percent", [0.0001, 33.3333, "0.00001", 99.9999])
def test_what_is_finer_than_a_bucket_is_refused(percent):
    with pytest.raises(ValueError, match=r"steps of 0\.001 %"):
        from_percent(percent)


@pytest.mark.parametrize("percent", [-0.001, 100.001, 1e300, -1, "101"])
def test_what_lies_outside_0_to_100_is_refused(percent):
    with pytest.raises(ValueError, match="between 0 and 100"):
        from_percent(percent)


@pytest.mark.parametrize("percent", [float("nan"), float("inf"), float("-inf"), "NaN", "sNaN", "Infinity"])
def test_what_is_no_finite_number_is_refused(percent):
    with pytest.raises(ValueError, match="between 0 and 100"):
        from_percent(percent)


@pytest.mark.parametrize("percent", ["", "five", "5 %", "0x5", None, True, [5]])
def test_what_is_no_number_is_refused_by_its_own_words(percent):
    with pytest.raises(ValueError, match="is not a number"):
        from_percent(percent)


def test_a_percent_written_as_text_means_the_same():
    assert from_percent("12.345") == 12_345


def test_whole_percents_are_written_without_a_point():
    assert repr(to_percent(5000)) == "5"
    assert repr(to_percent(5500)) == "5.5"
