import pytest

from throwbar.decision import BUCKETS, hash_of, threshold
from throwbar.ratio import ratio_index
from throwbar.sampling import sampled

KEYS = [f"customer-{number}" for number in range(40_000)]


def test_the_same_keys_are_sampled_in_every_process():
    numbers = [number for number in range(1_000) if sampled("orders", f"customer-{number}", 500)]

    assert numbers == [16, 73, 140, 178, 291, 448, 563, 607, 715, 804, 806]


@pytest.mark.parametrize("share", [1_000, 10_000, 50_000])
def test_a_share_of_the_keys_is_sampled(share):
    expected = len(KEYS) * share / BUCKETS

    assert abs(sum(sampled("orders", key, share) for key in KEYS) - expected) < 5 * expected**0.5


def test_a_larger_sample_contains_the_smaller_one():
    small = {key for key in KEYS if sampled("orders", key, 1_000)}
    large = {key for key in KEYS if sampled("orders", key, 5_000)}

    assert small < large


def test_sampled_keys_are_no_more_often_in_the_cohort_than_others():
    cohort = [key for key in KEYS if hash_of("orders", key) < threshold(10_000)]

    both = sum(sampled("orders", key, 10_000) for key in cohort)

    assert abs(both - len(cohort) / 10) < 5 * (len(cohort) / 10) ** 0.5


def test_two_flags_sample_different_keys():
    here = {key for key in KEYS if sampled("orders", key, 10_000)}
    there = {key for key in KEYS if sampled("invoices", key, 10_000)}

    assert abs(len(here & there) - len(KEYS) / 100) < 5 * (len(KEYS) / 100) ** 0.5


def test_a_call_without_a_key_is_sampled_only_when_all_are():
    assert not sampled("orders", None, BUCKETS - 1)
    assert sampled("orders", None, BUCKETS)
    assert not any(sampled("orders", key, 0) for key in KEYS)


@pytest.mark.parametrize(
    ("candidate_ms", "baseline_ms", "index"),
    [(2, 1, 7), (1, 1, -1), (1, 2, -9), (1.09, 1, 0), (1.1, 1, 1), (4, 1, 15), (10**6, 1, 80), (1, 10**6, -80)],
)
def test_a_ratio_falls_into_an_eighth_of_an_octave(candidate_ms, baseline_ms, index):
    assert ratio_index(int(candidate_ms * 10**6), int(baseline_ms * 10**6)) == index


def test_calls_that_took_no_time_at_all_have_a_ratio_too():
    assert ratio_index(0, 0) == ratio_index(1, 1) == -1
