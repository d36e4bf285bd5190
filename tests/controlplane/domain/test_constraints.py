"""The order between operations: refused when a change breaks it, obeyed when a brake is pulled."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.constraints import Constraint, broken, goes_in_a_circle, lowered

NAMES = ("writes", "reads", "search", "export")
constraints = st.lists(st.builds(Constraint, st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=6)
shares = st.fixed_dictionaries({name: st.integers(0, 100_000) for name in NAMES})


@given(shares, constraints)
def test_lowered_shares_are_in_order_and_never_larger(shares, constraints) -> None:
    after = lowered(shares, constraints)

    assert not list(broken(after, constraints))
    assert all(after[name] <= shares[name] for name in NAMES)


@given(shares, constraints)
def test_nothing_is_lowered_more_than_it_must(shares, constraints) -> None:
    after = lowered(shares, constraints)

    for name in NAMES:
        if after[name] < shares[name]:
            assert any(each.operation == name and after[each.not_above] == after[name] for each in constraints)


def test_followers_of_followers_are_taken_along() -> None:
    order = (Constraint("search", "reads"), Constraint("reads", "writes"))

    assert lowered({"writes": 0, "reads": 50, "search": 20}, order) == {"writes": 0, "reads": 0, "search": 0}


def test_a_circle_is_seen() -> None:
    assert goes_in_a_circle((Constraint("a", "a"),))
    assert goes_in_a_circle((Constraint("a", "b"), Constraint("b", "c"), Constraint("c", "a")))
    assert not goes_in_a_circle((Constraint("a", "b"), Constraint("a", "c"), Constraint("b", "c")))
