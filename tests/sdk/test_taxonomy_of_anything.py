"""Whatever the object, classifying it ends with an answer."""

import contextlib
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from throwbar import known_errors
from throwbar.evidence import classify
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo

NAMES = ["error_info", "response", "status", "status_code", "headers", "history", "retry_after", "code", "sqlstate"]
NAMES += ["pgcode", "pgconn", "connection_invalidated", "orig", "reason", "args", "errno", "exceptions"]
DUNDERS = ["__cause__", "__context__", "__suppress_context__", "__traceback__", "__dict__", "__class__"]


class Unhelpful(Exception):
    """Says nothing, loudly."""

    def __getattribute__(self, name):
        raise ValueError(name)


class Evasive(Exception):
    """Has everything, and all of it is itself."""

    def __getattr__(self, name):
        return self

    def __call__(self, *_):
        return self


class Bottomless(Exception):
    def __getattr__(self, name):
        return getattr(self, name + "x")


class HostileMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

    def __hash__(cls):
        raise RuntimeError


class Unspeakable(Exception, metaclass=HostileMeta):
    pass


class Moduleless(Exception):
    __module__ = None


def refusing_property(name, base=Exception):
    def refuse(self):
        raise RuntimeError(name)

    return type("Refusing", (base,), {name: property(refuse)})


HOSTILE = [Unhelpful, Evasive, Bottomless, Unspeakable, Moduleless]
HOSTILE += [refusing_property(name, base) for name in NAMES + DUNDERS for base in (Exception, OSError)]

BUILT_IN = [ConnectionRefusedError, TimeoutError, KeyError, RuntimeError, OSError, MemoryError, KeyboardInterrupt]

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from([429, 503, "40001", "57014", 1205, 10**400]),
    st.just({"Retry-After": "1" * 50}),
    st.builds(object),
    st.sampled_from([len, lambda: 1 / 0, classify, type]),
)


KINDS = BUILT_IN + HOSTILE
errors = st.builds(  # by number: hypothesis would ask the classes for more than they tell
    lambda number, arguments: KINDS[number](*arguments),
    st.integers(0, len(KINDS) - 1),
    st.lists(values, max_size=3),
)


@st.composite
def trees(draw):
    """A few exceptions tied together by every link that is followed, circles included."""
    nodes = draw(st.lists(errors, min_size=1, max_size=6))
    for node in nodes:
        for name in draw(st.lists(st.sampled_from(NAMES + DUNDERS[:3]), max_size=6)):
            value = draw(st.one_of(values, st.integers(0, len(nodes) - 1).map(nodes.__getitem__), errors))
            with contextlib.suppress(Exception):  # some would not have it
                setattr(node, name, value)
    groups = [node for node in nodes if issubclass(type(node), Exception)]
    return ExceptionGroup("several", groups) if groups and draw(st.booleans()) else nodes[0]


@settings(max_examples=150, deadline=None)
@given(trees(), st.sampled_from([None, lambda error: None, lambda error: error.missing, lambda error: 1 / 0]))
def test_any_tree_of_exceptions_is_classified(error, user):
    info = classify(error, user)

    assert isinstance(info, ErrorInfo)
    assert info.category in Category
    assert info.delivery in Delivery
    assert info.retry_after is None or 0 <= info.retry_after < 1e9
    assert info.because


@settings(max_examples=50, deadline=None)
@given(trees())
def test_what_decides_nothing_of_its_own_never_proves_by_an_error_that_was_merely_being_handled(tree):
    class Quiet(Exception):
        pass

    error = Quiet()
    error.__context__ = tree

    assert classify(error).delivery in {Delivery.UNKNOWN, Delivery.APPLIED} or isinstance(
        getattr(tree, "error_info", None), ErrorInfo
    )


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_object_is_some_exception(number):
    info = classify(HOSTILE[number]())

    assert info.delivery is Delivery.UNKNOWN
    assert info.category in {Category.APPLICATION, Category.SYSTEM, Category.VALIDATION}


@pytest.mark.parametrize("thing", [None, 1, "text", object(), ValueError, object])
def test_what_is_no_exception_is_classified_too(thing):
    assert isinstance(classify(thing), ErrorInfo)


def test_a_circle_of_causes_ends():
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first

    assert classify(first).category is Category.APPLICATION


def test_no_more_than_eight_exceptions_are_asked():
    def chain(length):
        error = ConnectionRefusedError()
        for _ in range(length):
            outer = RuntimeError()
            outer.__cause__ = error
            error = outer
        return error

    assert classify(chain(7)).category is Category.CONNECTION
    assert classify(chain(8)).category is Category.APPLICATION


def test_at_the_end_of_the_stack_there_is_an_answer_still():
    answers = []

    def descend():
        try:
            descend()
        except RecursionError:
            wrapped = RuntimeError()
            wrapped.__cause__ = ConnectionRefusedError()
            answers.append(classify(wrapped))
            raise

    with pytest.raises(RecursionError):
        descend()

    assert len(answers) > sys.getrecursionlimit() / 2
    assert answers[-1].category is Category.CONNECTION
    assert {info.category for info in answers} <= {Category.CONNECTION, Category.APPLICATION}


def test_classes_by_the_thousand_are_not_all_remembered():
    for number in range(3000):
        classify(type(f"E{number}", (Exception,), {})())

    assert len(known_errors._memory) <= 1024


def test_the_answer_for_a_class_that_decides_is_made_once():
    assert classify(ConnectionRefusedError(1)) is classify(ConnectionRefusedError(2))
    assert classify(ConnectionRefusedError())[:6] == BY_CATEGORY[Category.CONNECTION][:6]
