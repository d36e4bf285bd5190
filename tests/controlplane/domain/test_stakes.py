"""Do all rules that may roll back err with α together, and no more?"""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import stakes
from controlplane.domain.evidence import log_shared

LOGS = st.floats(-5, 12)


def test_the_parts_come_to_one():
    parts = (stakes.COMPARISON, stakes.LIMITS, stakes.OUTAGE, stakes.BREAKERS)

    assert sum(parts) == pytest.approx(1.0)


@given(part=st.floats(0.01, 1), among=st.integers(1, 50), alpha=st.floats(1e-9, 0.2))
def test_equals_that_share_a_part_err_with_it_together(part, among, alpha):
    each = math.exp(-stakes.log_needed(alpha, part, among))

    assert among * each == pytest.approx(part * alpha)


@given(own=LOGS, others=st.lists(LOGS, max_size=6))
def test_one_among_others_is_worth_no_more_than_alone_nor_than_all_on_average(own, others):
    shared = log_shared([own, *others])[0]
    mean = math.log(sum(map(math.exp, (own, *others))) / (1 + len(others)))

    assert shared <= own + 1e-9
    assert shared <= mean + 1e-9


def test_another_that_speaks_loudly_does_not_speak_for_it():
    assert log_shared([math.log(100), math.log(1e9)])[0] == pytest.approx(math.log(100))
    assert log_shared([math.log(2), math.log(1e9)])[0] == pytest.approx(math.log(2))


def test_others_that_are_well_ask_for_more():
    assert log_shared([math.log(100), *[math.log(1e-6)] * 3])[0] == pytest.approx(math.log(25))


@given(logs=st.lists(LOGS, min_size=1, max_size=5))
def test_each_is_worth_the_least_mean_of_any_group_that_it_belongs_to(logs):
    for number, own in enumerate(logs):
        others = [*logs[:number], *logs[number + 1 :]]
        groups = [group for size in range(len(logs)) for group in combinations(others, size)]
        least = min(math.log(sum(map(math.exp, (own, *group))) / (1 + len(group))) for group in groups)
        assert log_shared(logs)[number] == pytest.approx(least)
