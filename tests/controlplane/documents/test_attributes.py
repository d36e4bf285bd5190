import pytest

from controlplane.documents.attributes import read_attributes
from controlplane.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (" \n ", {}),
        ("tenant=acme", {"tenant": "acme"}),
        ("tenant = acme \n\n url=a=b", {"tenant": "acme", "url": "a=b"}),
        ('{"tenant": "acme", "beta": true}', {"tenant": "acme", "beta": True}),
    ],
)
def test_lines_and_json_say_the_same(text, found) -> None:
    assert read_attributes(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tenant", "without a name and ="),
        ("=acme", "without a name and ="),
        ("{tenant: acme}", "are no JSON object"),
        ("[1]", "must be an object"),
        ("a=" + "x" * 5000, "at most 4000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(text, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_attributes(text)
