from datetime import timedelta

import pytest

from controlplane.documents.flag import flag_document
from controlplane.domain.errors import InvalidInput, Refused
from controlplane.domain.rollout import COOL_DOWN, State
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.snapshots import current_snapshot
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.acting import lock

HERE = Place("production", "dspex-bridge")


@pytest.fixture
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def document(store):
    return flag_document(flags.get_flag(store, HERE))


def test_put_gives_what_is_left_out_its_default(store, flag):
    after = flags.replace_flag(store, HERE, {"baseline": "a", "candidate": "b"}, a_cause())

    assert after.version == 2
    assert document(store) == {
        **flag_document(flag),
        "baseline": "a",
        "candidate": "b",
        "description": "",
        "owner": "",
        "tags": [],
        "enabled": False,
        "operations": {},
        "rules": [],
        "guardrails": None,
        "plan": None,
    }


@pytest.mark.parametrize(
    ("patch", "field", "value"),
    [
        ({"owner": "ann"}, "owner", "ann"),
        ({"owner": None}, "owner", ""),
        ({"tags": ["a", "b"]}, "tags", ["a", "b"]),
        ({"plan": None}, "plan", None),
        (
            {"operations": {"echo": None, "new": {"percent": 2}}},
            "operations",
            {"simple_predict": {"percent": 0, "mode": "single"}, "new": {"percent": 2, "mode": "single"}},
        ),
    ],
)
def test_patch_merges_as_rfc_7396_says(store, flag, patch, field, value):
    flags.patch_flag(store, HERE, patch, a_cause())

    assert document(store) == {**flag_document(flag), field: value}


def test_patch_reaches_into_nested_objects_and_removes_with_null(store, flag):
    flags.patch_flag(store, HERE, {"guardrails": {"max_error_rate": None, "compare": {"alpha": 0.05}}}, a_cause())

    limits = document(store)["guardrails"]
    assert limits["max_error_rate"] is None
    assert limits["compare"]["alpha"] == 0.05
    assert limits["compare"]["latency_ratio"] == 1.19
    assert limits["max_latency_ms"] == {"p99": 1000}


def test_patch_refuses_what_the_whole_would_break_and_names_the_field(store, flag):
    with pytest.raises(InvalidInput) as refusal:
        flags.patch_flag(store, HERE, {"candidate": None, "operations": {"echo": {"percent": 101}}}, a_cause())

    assert {error.field for error in refusal.value.errors} == {"candidate", "operations.echo.percent"}


def test_an_operation_keeps_what_a_change_does_not_name(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 5, "guardrails": {"min_samples": 7}}, a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 6}, a_cause())

    assert document(store)["operations"]["echo"] == {"percent": 6, "mode": "single", "guardrails": {"min_samples": 7}}


def test_an_operation_that_is_removed_is_gone(store, flag):
    flags.remove_operation(store, HERE, "echo", a_cause())

    assert list(document(store)["operations"]) == ["simple_predict"]


def test_guardrails_and_plan_are_replaced_and_taken_away(store, flag):
    flags.set_guardrails(store, HERE, {"max_error_rate": 0.5}, a_cause())
    flags.set_plan(store, HERE, a_plan_document(5), a_cause())
    assert document(store)["guardrails"]["max_latency_ms"] == {}
    assert [stage["percent"] for stage in document(store)["plan"]["stages"]] == [5]

    flags.set_guardrails(store, HERE, None, a_cause())
    flags.set_plan(store, HERE, None, a_cause())
    assert (document(store)["guardrails"], document(store)["plan"]) == (None, None)


def test_a_share_raised_by_hand_opens_an_attempt_and_a_lowered_one_does_not(store, flag):
    attempts = [
        flags.set_operation(store, HERE, "echo", {"percent": percent}, a_cause()).rollout.attempt
        for percent in (5, 2, 0, 1, 1)
    ]

    assert attempts == [1, 1, 1, 2, 2]


def test_switching_an_exposed_flag_on_opens_an_attempt(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause())
    flags.disable_flag(store, HERE, a_cause())

    assert flags.enable_flag(store, HERE, a_cause()).rollout.attempt == 2


def test_a_flag_created_with_a_share_begins_with_an_attempt(store):
    made = flags.create_flag(store, "production", a_flag_document(operations={"echo": {"percent": 5}}), a_cause())

    assert made.rollout.attempt == 1


def test_another_candidate_behind_a_share_opens_an_attempt(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause())

    assert flags.patch_flag(store, HERE, {"candidate": "snakepit2"}, a_cause()).rollout.attempt == 2


def test_revert_brings_back_any_version_and_is_itself_a_new_one(store, flag):
    flags.patch_flag(store, HERE, {"owner": "ann", "rules": [], "plan": None}, a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 20}, a_cause())
    flags.disable_flag(store, HERE, a_cause())

    after = flags.revert_flag(store, HERE, 1, a_cause())
    assert flag_document(after) == flag_document(flag)
    assert after.version == 5

    assert flag_document(flags.revert_flag(store, HERE, 3, a_cause()))["operations"]["echo"]["percent"] == 20


def test_revert_never_brings_back_a_rollout_an_attempt_or_a_mark(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 20}, a_cause())
    rollouts.roll_back(store, HERE, a_cause())
    later = NOW + COOL_DOWN

    after = flags.revert_flag(store, HERE, 2, a_cause(later))

    assert after.rolled_back
    assert after.exposed_operations == ()
    assert (after.rollout.state, after.rollout.attempt) == (State.ROLLED_BACK, 1)


@pytest.mark.parametrize("state", ["running", "paused", "cooling down", "locked"])
def test_revert_is_refused_while_a_rollout_is_at_work(store, flag, state):
    _bring_to(store, state)

    with pytest.raises(Refused, match=state):
        flags.revert_flag(store, HERE, 1, a_cause())


def _bring_to(store, state):
    if state == "locked":
        lock(store, HERE)
        return
    rollouts.start(store, HERE, a_cause())
    if state == "paused":
        rollouts.pause(store, HERE, a_cause())
    if state == "cooling down":
        rollouts.roll_back(store, HERE, a_cause())


@pytest.mark.parametrize(
    "change",
    [
        lambda store: flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause()),
        lambda store: flags.set_operation(store, HERE, "joining", {}, a_cause()),
        lambda store: flags.remove_operation(store, HERE, "echo", a_cause()),
        lambda store: flags.patch_flag(store, HERE, {"operations": {"echo": {"percent": 0}}}, a_cause()),
        lambda store: flags.replace_flag(store, HERE, a_flag_document(), a_cause()),
        lambda store: flags.set_plan(store, HERE, a_plan_document(5), a_cause()),
        lambda store: flags.set_plan(store, HERE, None, a_cause()),
        lambda store: flags.archive_flag(store, HERE, a_cause()),
    ],
)
def test_a_running_rollout_forbids_what_would_cross_it(store, flag, change):
    rollouts.start(store, HERE, a_cause())
    before = flags.get_flag(store, HERE)

    with pytest.raises(Refused):
        change(store)

    assert flags.get_flag(store, HERE) == before


@pytest.mark.parametrize(
    "patch",
    [
        {"description": "new"},
        {"enabled": False},
        {"guardrails": {"min_samples": 5}},
        {"operations": {"echo": {"guardrails": {"min_samples": 5}}}},
    ],
)
def test_a_running_rollout_allows_everything_else(store, flag, patch):
    rollouts.start(store, HERE, a_cause())

    assert flags.patch_flag(store, HERE, patch, a_cause()).version == 3


def test_a_percent_that_the_plan_does_not_move_may_be_set_while_it_runs(store):
    plan = {**a_plan_document(), "operations": ["echo"]}
    flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())
    rollouts.start(store, HERE, a_cause())

    assert flags.set_operation(store, HERE, "simple_predict", {"percent": 5}, a_cause()).version == 3


def test_backends_do_not_change_under_a_rollout(store, flag):
    rollouts.start(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())

    with pytest.raises(InvalidInput, match="candidate: cannot change while"):
        flags.patch_flag(store, HERE, {"candidate": "other"}, a_cause())


def test_an_archived_flag_answers_with_its_final_backend_and_can_no_longer_be_changed(store, flag):
    flags.archive_flag(store, HERE, a_cause())

    assert current_snapshot(store, "production", Clockwork())["flags"]["dspex-bridge"]["archived"] is True
    assert flags.list_flags(store, "production") == []
    assert flags.get_flag(store, HERE).archived_at == NOW
    for act in (flags.enable_flag, flags.disable_flag, rollouts.start, rollouts.roll_back):
        with pytest.raises(Refused, match="archived"):
            act(store, HERE, a_cause(NOW + timedelta(days=1)))
