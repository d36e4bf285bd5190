"""Words in the audit log: found alike on both databases, and never read as a pattern."""

import pytest

from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries
from tests.builders import a_cause, a_flag_document


@pytest.mark.parametrize(
    ("text", "found"),
    [("CUSTOM", 1), ("zürich", 1), ("Zürich", 1), ("50 %_", 0), ("_", 1), ("%", 1), ('"quoted"', 1), ("owner", 2)],
)
def test_words_are_found_in_reasons_and_changes(store, text, found) -> None:
    place = Place("production", "a-flag")
    flags.create_flag(store, "production", a_flag_document(key="a-flag", description='says "quoted"'), a_cause())
    flags.patch_flag(store, place, {"owner": "Zürich"}, a_cause(reason="all customers, 50 %"))

    entries = list_entries(store, "production", Filter(flag="a-flag", text=text)).items

    assert len(entries) == found
