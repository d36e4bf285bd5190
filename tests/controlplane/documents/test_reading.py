"""Reading JSON strictly: what is kept is what was meant."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.reading import DEEPEST, read_object
from controlplane.domain.errors import InvalidInput, Malformed

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_what_json_can_say_is_read_as_it_was_said(document) -> None:
    assert read_object(json.dumps(document)) == document


@given(st.binary(max_size=200))
def test_noise_is_refused_in_our_words_or_is_an_object(noise) -> None:
    with suppress(Malformed, InvalidInput):
        assert isinstance(read_object(noise), dict)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": {"b": [{"c": 1, "c": 1}]}}', "a.b.0.c"),
        ('{"a": "x\\u0000"}', "a"),
        ('{"a": ["\\ud800"]}', "a.0"),
        ('{"a\\u0000": 1}', "body"),
        ("[1]", "body"),
    ],
)
def test_what_json_allows_and_we_do_not_is_named_by_its_path(text, field) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_object(text)

    assert [each.field for each in refused.value.errors] == [field]


def test_depth_has_an_end() -> None:
    document: dict = {}
    for _ in range(DEEPEST - 1):
        document = {"a": document}

    assert read_object(json.dumps(document)) == document
    with pytest.raises(InvalidInput):
        read_object(json.dumps({"a": document}))
    with pytest.raises((InvalidInput, Malformed)):
        read_object('{"a":' * 100_000)
