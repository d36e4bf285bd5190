import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import a_document, a_flag, a_share
from throwbar.errors import SnapshotError
from throwbar.plan import FlagPlan
from throwbar.snapshot import NOTHING, compile_snapshot, parse

FLAGS = st.dictionaries(
    st.text(max_size=4),
    st.builds(a_flag, baseline=st.text(max_size=3), operations=st.builds(a_share, st.integers(0, 100_000))),
    max_size=5,
)
LAYOUTS = st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"indent": "\t", "ensure_ascii": False}])


def taken(document, previous=NOTHING, **layout):
    return compile_snapshot(parse(json.dumps(document, **layout).encode(), previous.flags), previous)


def said(snapshot):
    return {key: flag.raw for key, flag in snapshot.flags.items()}


@given(FLAGS, LAYOUTS, FLAGS, LAYOUTS)
def test_whatever_was_known_a_snapshot_says_what_is_written_in_it(old, old_layout, new, new_layout):
    known = taken(a_document(1, flags=old), **old_layout)

    after = taken(a_document(2, flags=old | new), known, **new_layout)
    without = taken(a_document(3, flags=new), after, **old_layout)

    assert said(after) == old | new
    assert said(without) == new
    assert list(without.flags) == list(new)


@given(FLAGS, LAYOUTS)
def test_flags_that_are_written_as_before_keep_their_very_plans(flags, layout):
    before = taken(a_document(1, flags=flags), **layout)
    choices = {key: flag.plan("read").by_share_candidate for key, flag in before.flags.items()}

    after = taken(a_document(2, flags=flags), before, **layout)

    assert all(after.flags[key] is flag for key, flag in before.flags.items())
    assert all(after.flags[key].plan("read").by_share_candidate is choice for key, choice in choices.items())


def test_a_flag_that_changed_gets_a_new_plan_and_its_neighbours_keep_theirs():
    flags = {name: a_flag(operations=a_share(10_000)) for name in ("a", "b", "c")}
    before = taken(a_document(1, flags=flags))

    after = taken(a_document(2, flags=flags | {"b": a_flag(operations=a_share(10_001))}), before)

    assert after.flags["b"] is not before.flags["b"]
    assert after.flags["b"].plan("read").share == 10_001
    assert before.flags["b"].plan("read").share == 10_000
    assert after.flags["a"] is before.flags["a"]
    assert after.flags["c"] is before.flags["c"]


def test_a_flag_that_goes_and_comes_back_is_read_again():
    flags = {"a": a_flag(), "b": a_flag()}
    before = taken(a_document(1, flags=flags))
    gone = taken(a_document(2, flags={"a": a_flag()}), before)

    back = taken(a_document(3, flags=flags), gone)

    assert list(gone.flags) == ["a"]
    assert said(back) == flags


def test_what_a_flag_says_is_kept_as_text_until_its_first_operation_is_asked_for():
    flag = taken(a_document(flags={"a": a_flag()})).flags["a"]
    assert flag._raw is None

    flag.plan("read")

    assert flag._raw == json.loads(flag.text) == a_flag()


def test_the_last_of_two_flags_of_one_name_counts_as_everywhere_in_json():
    twice = json.dumps(a_document(flags={"a": a_flag(enabled=False), "b": a_flag()})).replace('"b"', '"a"')

    snapshot = compile_snapshot(parse(twice.encode()))

    assert said(snapshot) == {"a": a_flag()}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_snapshot_in_another_encoding_is_read_and_its_plans_are_kept_too(encoding):
    body = json.dumps(a_document(flags={"a": a_flag(), "b": a_flag()})).encode(encoding)
    before = compile_snapshot(parse(body))

    after = compile_snapshot(parse(body, before.flags), before)

    assert said(after) == {"a": a_flag(), "b": a_flag()}
    assert after.flags["a"] is before.flags["a"]


@given(st.data(), LAYOUTS)
def test_a_body_that_is_cut_or_garbled_anywhere_is_refused_or_read_as_json_reads_it(data, layout):
    whole = json.dumps(a_document(flags={"a": a_flag(), "b": a_flag(operations={})}), **layout)
    place = data.draw(st.integers(0, len(whole) - 1))
    body = (
        whole[:place] + data.draw(st.sampled_from(["", " ", "}", "{", ",", ":", '"', "1"])) + whole[place + 1 :]
    ).encode()

    try:
        found = parse(body)
    except SnapshotError:
        return

    plain = json.loads(body)
    flags = {key: plan.raw if isinstance(plan, FlagPlan) else plan for key, plan in found["flags"].items()}
    wanted = {key: flag for key, flag in plain["flags"].items() if flag.get("kind", "migration") == "migration"}
    assert found | {"flags": flags} in (plain, plain | {"flags": wanted})


def test_flags_of_another_kind_are_left_alone_each_time():
    flags = {"banner": {"kind": "feature", "size": 3}, "orders": a_flag()}
    before = taken(a_document(1, flags=flags))

    after = taken(a_document(2, flags=flags), before)

    assert list(before.flags) == list(after.flags) == ["orders"]
