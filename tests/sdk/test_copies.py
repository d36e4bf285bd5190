from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from throwbar.copies import copy_call, copy_of

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | st.binary(max_size=3)
)
NAMES = st.text(max_size=3) | st.tuples(st.integers(), st.text(max_size=2))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=15,
)


def mutable_parts(value):
    """The identities of everything in it that can be changed."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    own = {id(value)} if isinstance(value, dict | list | set) else set()
    return own.union(*(mutable_parts(part) for part in inside))


@given(VALUES)
def test_a_copy_is_equal_and_shares_nothing_that_can_be_changed(value):
    copied = copy_of(value, None)

    assert copied == value
    assert type(copied) is type(value)
    assert not mutable_parts(copied) & mutable_parts(value)


def test_what_occurs_twice_in_a_value_is_copied_once_and_circles_stay_circles():
    line = [1]
    value = {"first": line, "again": line, "in a tuple": (line,)}
    value["self"] = value

    copied = copy_of(value, None)

    assert copied["first"] is copied["again"] is copied["in a tuple"][0] is not line
    assert copied["self"] is copied


@dataclass
class Order:
    lines: list = field(default_factory=list)


class Named(dict):
    """A dict of a class of its own."""


def test_objects_are_copied_as_the_standard_library_does():
    value = [Order(lines=[{"id": 1}]), Named(a=[1])]

    copied = copy_of(value, None)

    assert copied == value
    assert copied[0].lines[0] is not value[0].lines[0]
    assert type(copied[1]) is Named


def test_each_argument_is_shown_to_the_users_function_by_itself():
    connection, seen = object(), []

    args, kwargs = copy_call((connection, [1], 2), {"more": {"a": 1}}, lambda value: seen.append(value) or value)

    assert args[0] is connection
    assert seen == [connection, [1], {"a": 1}]
    assert kwargs == {"more": {"a": 1}}
