import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import CONTRACT, a_document, a_flag, a_share
from throwbar.decision import Reason, decide
from throwbar.errors import SnapshotError
from throwbar.snapshot import NOTHING, compile_snapshot, parse, supersedes, under


def compiled(document, previous=NOTHING, overrides=None):
    body = json.dumps(document).encode()
    return compile_snapshot(parse(body, previous.flags), previous, overrides or {})


def test_the_golden_snapshot_is_read():
    snapshot = compile_snapshot(parse((CONTRACT / "snapshot.json").read_bytes()))

    assert (snapshot.environment, snapshot.source, snapshot.version) == ("production", "5f2c9a4be01d7736", 41)
    assert (snapshot.bucket_seconds, snapshot.outcome_deadline_seconds) == (10, 10.0)
    flag = snapshot.flags["dspex-bridge"]
    assert decide(flag.plan("echo"), "k").reason is Reason.ROLLED_BACK
    assert decide(flag.plan("simple_predict"), "k", {"tenant": "acme"}).backend == "snakepit"
    assert flag.plan("simple_predict").attempt == 2


def test_the_golden_snapshot_of_an_archived_flag_is_read():
    flag = compile_snapshot(parse((CONTRACT / "snapshot_archived.json").read_bytes())).flags["dspex-bridge"]

    assert flag.archived
    assert decide(flag.plan("echo"), "k").backend == "python_pool_v2"
    assert decide(flag.plan("simple_predict"), None).backend == "snakepit"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema is 2"),
        ({"version": "41"}, "version is not a whole number"),
        ({"version": True}, "version is not a whole number"),
        ({"version": 0}, "version is below 1"),
        ({"source": ""}, "source is empty"),
        ({"flags": []}, "flags is not an object"),
        ({"telemetry": {"bucket_seconds": 0}}, "telemetry.bucket_seconds"),
        ({"telemetry": {"outcome_deadline_seconds": "soon"}}, "telemetry.outcome_deadline_seconds"),
        ({"flags": {"orders": 1}}, "flags.orders is not an object"),
        ({"flags": {"orders": None}}, "flags.orders is not an object"),
        ({"schema": 2, "flags": {"orders": 1}}, "schema is 2"),
        ({"flags": {"orders": a_flag(baseline=None)}}, "flags.orders.baseline is not a string"),
        ({"flags": {"orders": a_flag(enabled="yes")}}, "flags.orders.enabled is not true or false"),
        ({"flags": {"orders": a_flag(attempt="1")}}, "flags.orders.attempt is not a whole number"),
        ({"flags": {"orders": a_flag(rules=[{}])}}, r"flags.orders.rules\[0\].attribute is not a string"),
        ({"flags": {"orders": a_flag(operations=a_share(100_001))}}, "flags.orders.operations.read.share is outside"),
        ({"flags": {"orders": a_flag(operations=a_share(1, rolled_back=0))}}, "operations.read.rolled_back"),
    ],
)
def test_a_malformed_snapshot_is_refused_with_the_field_named(change, message):
    with pytest.raises(SnapshotError, match=message):
        compiled(a_document() | change)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(SnapshotError):
        parse(body)


def test_what_follows_the_document_is_refused_with_it():
    with pytest.raises(SnapshotError):
        parse(json.dumps(a_document()).encode() + b"{}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["flags", "telemetry", "source", "version", "environment", "bucketing"]), JSON)
def test_whatever_is_in_a_field_it_is_read_or_refused(field, value):
    document = json.dumps(a_document() | {field: value}).encode()

    try:
        snapshot = compile_snapshot(parse(document))
    except SnapshotError:
        return

    assert snapshot.ready


@given(st.sampled_from(sorted(a_flag())), JSON)
def test_whatever_is_in_a_field_of_a_flag_it_is_read_or_refused(field, value):
    document = json.dumps(a_document(flags={"orders": a_flag(**{field: value})})).encode()

    try:
        snapshot = compile_snapshot(parse(document))
    except SnapshotError:
        return

    for flag in snapshot.flags.values():
        assert (
            decide(flag.plan("read"), "k").backend
            == flag.raw["baseline" if not decide(flag.plan("read"), "k").candidate else "candidate"]
        )


def test_fields_of_a_newer_server_are_ignored():
    snapshot = compiled(a_document(flags={"orders": a_flag(colour="green")}, news=[1]))

    assert "orders" in snapshot.flags


def test_flags_of_another_kind_are_left_alone():
    snapshot = compiled(a_document(flags={"orders": a_flag(), "banner": {"kind": "feature"}}))

    assert list(snapshot.flags) == ["orders"]


def test_an_unknown_bucketing_serves_the_baseline():
    snapshot = compiled(a_document(bucketing="sha1", flags={"orders": a_flag(operations=a_share(100_000))}))

    choice = decide(snapshot.flags["orders"].plan("read"), "k")

    assert (choice.backend, choice.reason) == ("old", Reason.NOT_READY)


def test_a_flag_that_did_not_change_keeps_its_plan():
    before = compiled(a_document(1, flags={"orders": a_flag(), "users": a_flag()}))

    after = compiled(a_document(2, flags={"orders": a_flag(), "users": a_flag(enabled=False)}), before)

    assert after.flags["orders"] is before.flags["orders"]
    assert after.flags["users"] is not before.flags["users"]


def test_new_overrides_make_new_plans():
    before = compiled(a_document(1))

    after = compiled(a_document(1), before, {"orders": "candidate"})

    assert decide(after.flags["orders"].plan("read"), None).reason is Reason.OVERRIDE


def test_overrides_that_come_and_go_leave_the_snapshot_as_it_was():
    before = compiled(a_document(3, flags={"orders": a_flag(operations=a_share(0))}))

    overridden = under(before, {"orders": "candidate"})
    after = under(overridden, {})

    assert decide(overridden.flags["orders"].plan("read"), None).reason is Reason.OVERRIDE
    assert decide(after.flags["orders"].plan("read"), None).backend == "old"
    assert overridden.version == after.version == 3


def test_overrides_do_not_make_an_unknown_bucketing_readable():
    snapshot = under(compiled(a_document(bucketing="sha1")), {"orders": "candidate"})

    assert decide(snapshot.flags["orders"].plan("read"), "k").reason is Reason.NOT_READY


def test_other_threads_get_a_turn_while_many_flags_are_read_and_compiled():
    body, turns = json.dumps(a_document(flags={f"f{n}": a_flag() for n in range(800)})).encode(), []

    document = parse(body, breathe=lambda: turns.append("reading"))
    compile_snapshot(document, breathe=lambda: turns.append("compiling"))

    assert turns == ["reading"] * 4 + ["compiling"] * 4


@pytest.mark.parametrize(
    ("source", "version", "newer"), [("s1", 4, False), ("s1", 5, True), ("s1", 6, True), ("s2", 1, True)]
)
def test_a_lower_version_of_the_same_source_is_late(source, version, newer):
    current = compiled(a_document(5))

    assert supersedes(a_document(version, source=source), current) is newer
