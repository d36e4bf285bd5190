from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.audit import GENESIS, SCHEDULER, Action, AuditEntry, Change, differences, first_break, sealed
from tests.builders import ANN, NOW

HERE = "production"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.text("abcd", min_size=1, max_size=2), JSON, max_size=4)


def a_chain(length):
    entries, previous = [], GENESIS
    for number in range(1, length + 1):
        entry = AuditEntry(
            id=number,
            at=NOW + timedelta(seconds=number),
            actor=ANN,
            action=Action.SHARE_SET,
            flag="dspex-bridge",
            reason=f"reason {number}",
            changes=(Change("operations.echo.percent", number - 1, number),),
            version=number,
            request_id=f"r-{number}",
            record={"log_evidence": 0.1 * number},
            previous=previous,
        )
        entry = replace(entry, hash=sealed(entry, HERE))
        entries.append(entry)
        previous = entry.hash
    return entries


def broken(entries, original):
    return first_break(entries, HERE, head=original[-1].hash if original else GENESIS, length=len(original))


FORGERIES = {
    "at": NOW - timedelta(days=1),
    "actor": SCHEDULER,
    "action": Action.FLAG_DISABLE,
    "flag": "other",
    "reason": "nothing happened",
    "changes": (),
    "version": 99,
    "request_id": "r-x",
    "record": {},
    "previous": "f" * 64,
    "hash": "f" * 64,
    "id": 999,
}


@given(st.integers(0, 8))
def test_an_untouched_chain_is_intact(length):
    assert broken(a_chain(length), a_chain(length)) is None


@given(st.integers(1, 8), st.data())
def test_a_change_to_any_field_of_any_entry_is_found_where_it_was_made(length, data):
    original = a_chain(length)
    at = data.draw(st.integers(0, length - 1))
    field = data.draw(st.sampled_from(sorted(FORGERIES)))
    tampered = [*original]
    tampered[at] = replace(original[at], **{field: FORGERIES[field]})

    found = broken(tampered, original)

    assert found
    assert found.entry == at + 1


@given(st.integers(1, 8), st.data())
def test_a_forged_entry_with_a_hash_of_its_own_is_found_at_the_next_one(length, data):
    original = a_chain(length)
    at = data.draw(st.integers(0, length - 1))
    forged = replace(original[at], reason="nothing happened")
    tampered = [*original]
    tampered[at] = replace(forged, hash=sealed(forged, HERE))

    found = broken(tampered, original)

    assert found
    assert found.entry == min(at + 2, length)


@given(st.integers(1, 8), st.data())
def test_removed_entries_are_found_the_last_ones_too(length, data):
    original = a_chain(length)
    gone = data.draw(st.sets(st.integers(0, length - 1), min_size=1))

    found = broken([entry for number, entry in enumerate(original) if number not in gone], original)

    assert found
    assert found.entry == min(gone) + 1


@given(st.integers(1, 6), st.data())
def test_an_inserted_entry_is_found_wherever_it_stands(length, data):
    original = a_chain(length)
    at = data.draw(st.integers(0, length))
    before = original[at - 1].hash if at else GENESIS
    extra = replace(original[0], id=at + 1, reason="inserted", previous=before)
    tampered = [*original[:at], replace(extra, hash=sealed(extra, HERE)), *original[at:]]

    assert broken(tampered, original)


def test_an_entry_too_many_is_named():
    original = a_chain(2)

    found = broken(a_chain(3), original)

    assert found
    assert (found.entry, found.because) == (3, "entry 3 was never recorded as the newest")


def test_a_cut_off_end_is_named_with_how_much_is_missing():
    found = broken(a_chain(3)[:1], a_chain(3))

    assert found
    assert (found.entry, found.because) == (2, "2 entries are missing at the end")


def test_entries_of_another_environment_are_not_of_this_chain():
    entries = a_chain(2)

    assert first_break(entries, "staging", head=entries[-1].hash, length=2)


def test_an_instant_is_the_same_in_every_time_zone():
    entry = a_chain(1)[0]
    elsewhere = replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=2))))

    assert sealed(elsewhere, HERE) == entry.hash


@given(DOCUMENTS, DOCUMENTS)
def test_differences_turn_one_document_into_the_other(before, after):
    assert _applied(before, differences(before, after)) == _without_nulls(after)


@given(DOCUMENTS)
def test_a_document_does_not_differ_from_itself(document):
    assert list(differences(document, document)) == []


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"a": 5}, {"a": 5.0}, []),
    ],
)
def test_differences_name_the_field_and_both_values(before, after, changes):
    assert [(each.path, each.before, each.after) for each in differences(before, after)] == changes


def _applied(document, changes):
    result = _without_nulls(document)
    for change in changes:
        place = result
        *parents, name = change.path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        if change.after is None:
            place.pop(name, None)
        else:
            place[name] = _without_nulls(change.after)
    return result


def _without_nulls(value):
    """None means absent in a change, so the two cannot be told apart here."""
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
