import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar.comparison import Compare, Outcome
from throwbar.mismatches import Mismatches
from throwbar.paths import Places
from throwbar.redaction import LARGEST_BYTES, describe, fingerprint, redacted

SECRET = "alice@example.com"


class Now:
    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


def mismatch(baseline, candidate, **how):
    compare = Compare(**how)
    return compare.outcomes(Outcome(baseline, None, 1), Outcome(candidate, None, 1)), compare.show


def samples(baseline, candidate, **how):
    mismatches = Mismatches(Now(60.0))
    mismatches.add(("orders", "read"), SECRET, *mismatch(baseline, candidate, **how))
    return mismatches.take()


def test_a_sample_tells_types_sizes_and_hashes_but_no_value_and_no_key():
    sample = samples({"mail": SECRET, "age": 41}, {"mail": SECRET + "!", "age": None})[0]

    assert SECRET not in json.dumps(sample)
    assert sample["paths"] == [
        {
            "path": "$.mail",
            "baseline": {"type": "str", "size": 17, "hash": fingerprint("str", SECRET.encode())},
            "candidate": {"type": "str", "size": 18, "hash": fingerprint("str", SECRET.encode() + b"!")},
        },
        {
            "path": "$.age",
            "baseline": {"type": "int", "hash": fingerprint("int", b"29")},
            "candidate": {"type": "NoneType", "hash": fingerprint("NoneType", b"None")},
        },
    ]
    assert sample["key"] == fingerprint("key", SECRET.encode())


@given(st.dictionaries(st.just(SECRET) | st.just("4111 1111"), st.text("xyz", min_size=20), min_size=1))
def test_keys_of_a_mapping_that_look_like_data_are_hashed_too(baseline):
    said = json.dumps(samples(baseline, {}))

    assert SECRET not in said
    assert "4111 1111" not in said
    assert not any(value in said for value in baseline.values())


def test_a_value_is_told_only_from_a_place_that_was_named_for_it():
    sample = samples({"status": "paid", "mail": SECRET}, {"status": "open", "mail": ""}, show=["$.status"])[0]

    assert sample["paths"][0]["baseline"] == {"type": "str", "size": 4, "value": "paid"}
    assert SECRET not in json.dumps(sample)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, b"raw", "x" * 10_000, {1: 2}, None, 1.5])
def test_what_is_shown_can_always_be_sent_and_is_short(value):
    said = json.dumps(describe(value, shown=True), allow_nan=False)

    assert len(said) < 300


def test_a_sample_stays_below_four_kilobytes_by_leaving_places_out():
    long = {f"field_{number}_of_quite_some_length": "x" * 500 for number in range(10)}

    sample = samples(long, dict.fromkeys(long, "y" * 500), show=["$.*"])[0]

    assert 1 <= len(sample["paths"]) < 10
    assert len(json.dumps(sample)) <= LARGEST_BYTES


def test_five_samples_of_an_operation_are_kept_in_a_minute():
    now = Now(60.0)
    mismatches = Mismatches(now)
    found, show = mismatch(1, 2)

    for _ in range(9):
        mismatches.add(("orders", "read"), "k", found, show)
    mismatches.add(("orders", "list"), "k", found, show)
    kept = [sample["operation"] for sample in mismatches.take()]
    now.at = 119.9
    mismatches.add(("orders", "read"), "k", found, show)
    late = mismatches.take()
    now.at = 120.0
    mismatches.add(("orders", "read"), "k", found, show)

    assert kept == ["read"] * 5 + ["list"]
    assert late == []
    assert len(mismatches.take()) == 1


def test_samples_that_nobody_takes_do_not_fill_the_memory():
    mismatches = Mismatches(Now(60.0))
    found, show = mismatch(1, 2)

    for number in range(1_000):
        mismatches.add(("orders", f"operation {number}"), "k", found, show)

    assert len(mismatches.take()) == 200


def test_the_same_value_has_another_hash_in_another_process():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, fingerprint("str", b"same").encode())
        os._exit(0)
    os.waitpid(child, 0)

    theirs = os.read(reading, 100).decode()

    assert len(theirs) == 16
    assert theirs != fingerprint("str", b"same")
    assert fingerprint("str", b"same") == fingerprint("str", b"same")
    os.close(reading)
    os.close(writing)


def test_what_raised_is_told_by_its_category():
    found = Compare().outcomes(Outcome(None, "application", 1), Outcome(None, "timeout", 1))

    assert redacted(found.differences, Places(())) == [
        {"path": "$", "baseline": {"type": "raised application"}, "candidate": {"type": "raised timeout"}}
    ]
