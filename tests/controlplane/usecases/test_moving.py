"""What reports have told that keeps data where they are: writes that one side misses, and code that cannot do it."""

import json
from dataclasses import replace

import pytest

from controlplane.documents.acts import ReconciledDocument
from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.flag import Side
from controlplane.domain.phases import Backlog, Phase
from controlplane.domain.routing import Mode
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, reconciling, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.finishing import finish
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.snapshots import current_snapshot
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_data_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
PLACE = "dspex-bridge/write"


@pytest.fixture
def flag(store):
    return flags.create_flag(store, "production", a_data_flag_document(guardrails=None), a_cause())


@pytest.fixture
def told(store, lease):
    """A report with these sections, folded."""
    sequence = iter(range(1, 100))

    def reported(**sections):
        plain = a_report(sequence=next(sequence))
        body = json.dumps(json.loads(plain.body) | sections).encode()
        record_reports(store, [replace(plain, body=body, sites=sections.get("sites", ()))], NOW)
        fold(store, lease)

    return reported


def site(operation, call="operation", **more):
    return {"flag": "dspex-bridge", "operation": operation, "call": call, "place": "app/shop.py:7", **more}


def at(store, phase):
    rollouts.start(store, HERE, a_cause())
    while flags.get_flag(store, HERE).rollout.phase is not phase:
        rollouts.advance(store, HERE, a_cause(), "dspex-bridge")


def test_writes_are_counted_by_the_side_that_misses_them_less_those_that_a_hook_has_mended(store, flag, told):
    told(divergences={PLACE: 3}, diverged={PLACE: {"baseline_missing": 1, "candidate_missing": 2}})
    told(diverged={PLACE: {"candidate_reconciled": 2}})

    assert reconciling.show_backlog(store, HERE) == Backlog(1, 0)


def test_an_sdk_that_names_no_side_counts_on_both(store, flag, told):
    told(divergences={PLACE: 2})

    assert reconciling.show_backlog(store, HERE) == Backlog(2, 2)


def test_operations_outside_of_the_plan_hold_nothing(store, told):
    operations = {"write": {"kind": "write"}, "other": {}}
    plan = a_data_flag_document()["plan"] | {"operations": ["write"]}
    flags.create_flag(store, "production", a_data_flag_document(operations=operations, plan=plan), a_cause())

    told(divergences={"dspex-bridge/other": 2})

    assert reconciling.show_backlog(store, HERE) == Backlog()


def test_a_limit_lets_so_many_writes_be_missing(store, told):
    plan = a_data_flag_document()["plan"] | {"backlog_limit": 2, "barrier": "off"}
    flags.create_flag(store, "production", a_data_flag_document(plan=plan), a_cause())
    at(store, Phase.DUAL_WRITE)

    told(divergences={PLACE: 1}, diverged={PLACE: {"candidate_missing": 1}})
    assert rollouts.advance(store, HERE, a_cause()).rollout.phase is Phase.SHADOW

    told(divergences={PLACE: 2}, diverged={PLACE: {"candidate_missing": 2}})
    with pytest.raises(Refused, match="3 writes are missing in the candidate's store, and 2 may"):
        rollouts.advance(store, HERE, a_cause())


def test_a_person_says_that_writes_are_there_with_a_reason_and_for_no_more_than_was_seen(store, flag, told):
    told(divergences={PLACE: 3}, diverged={PLACE: {"baseline_missing": 3}})
    seen = ReconciledDocument(side=Side.BASELINE, writes=2)

    with pytest.raises(InvalidInput, match="reason: is missing"):
        reconciling.reconciled(store, HERE, seen, a_cause(reason=" "))
    assert reconciling.reconciled(store, HERE, seen, a_cause(reason="copied by the nightly job")) == Backlog(1, 0)
    with pytest.raises(Refused, match="nothing is missing in the candidate's store"):
        reconciling.reconciled(store, HERE, ReconciledDocument(side=Side.CANDIDATE), a_cause())
    with pytest.raises(NotFound):
        reconciling.reconciled(store, HERE, ReconciledDocument(side=Side.BASELINE, operation="new"), a_cause())

    entry = list_entries(store, "production", Filter(flag="dspex-bridge")).items[0]
    assert (entry.action, entry.reason, entry.version) == ("flag:reconcile", "copied by the nightly job", flag.version)
    assert [(each.path, each.before, each.after) for each in entry.changes] == [
        ("operations.write.missing_at_baseline", 3, 1)
    ]


@pytest.mark.parametrize(
    ("sites", "why"),
    [
        ([site("write", modes=["single"])], "'write' cannot be written to both stores"),
        ([site("write", call="attempt")], "'write' cannot be written to both stores"),
        ([site("read", modes=["dual_write", "single"])], "'read' is a write in the code"),
    ],
)
def test_code_that_cannot_do_what_a_phase_asks_holds_the_start_and_is_named(store, flag, told, sites, why):
    told(sites=sites)

    with pytest.raises(Refused, match=f"{why}.*bridge-api registers it at app/shop.py:7"):
        rollouts.start(store, HERE, a_cause())


def test_code_that_can_and_code_of_an_older_sdk_hold_nothing(store, flag, told):
    told(sites=[site("write", modes=["dual_write", "single"]), site("read", modes=["shadow", "single"]), site("write")])

    assert rollouts.start(store, HERE, a_cause()).rollout.phase is Phase.DUAL_WRITE


def test_behind_the_point_of_no_return_services_are_told_not_to_rescue_calls_with_the_baseline(store, flag):
    def switches():
        return current_snapshot(store, "production", Clockwork())["flags"]["dspex-bridge"].get("switches")

    at(store, Phase.RAMP_DOWN)
    assert switches() is None

    rollouts.advance(store, HERE, a_cause(), "dspex-bridge")
    assert switches() == {"breaker": False, "fallback": False}


def test_finish_completes_from_ramp_down_with_the_key_and_from_nowhere_else(store):
    plan = a_data_flag_document()["plan"]
    flags.create_flag(store, "production", a_data_flag_document(plan=plan | {"stages": plan["stages"][:5]}), a_cause())
    at(store, Phase.RAMP_DOWN)

    with pytest.raises(InvalidInput, match="confirm: must be 'dspex-bridge'"):
        finish(store, HERE, a_cause())
    over = finish(store, HERE, a_cause(), confirm="dspex-bridge")

    assert (over.rollout.phase, over.rollout.no_way_back_since) == (Phase.COMPLETE, NOW)
    assert {each.mode for each in over.operations.values()} == {Mode.SINGLE}
    with pytest.raises(Refused, match="make a new flag"):
        rollouts.start(store, HERE, a_cause())


def test_dual_writes_go_on_after_an_abort_and_end_by_hand(store, flag):
    at(store, Phase.LIVE)

    aborted = rollouts.abort(store, HERE, a_cause())
    assert (aborted.rollout.phase, aborted.operations["write"].mode) == (Phase.DUAL_WRITE, Mode.DUAL_WRITE)

    ended = flags.set_operation(store, HERE, "write", {"mode": "single"}, a_cause())
    assert ended.rollout.phase is Phase.OFF
    assert flags.set_plan(store, HERE, a_plan_document(), a_cause()).plan.moves_data is False


def test_a_flag_that_was_disabled_is_enabled_again_once_the_candidate_has_what_was_written_meanwhile(store, flag, told):
    at(store, Phase.LIVE)
    flags.disable_flag(store, HERE, a_cause())
    told(divergences={PLACE: 1}, diverged={PLACE: {"candidate_missing": 1}})

    with pytest.raises(Refused, match="cannot go on to a larger percent: 1 write is missing in the candidate's store"):
        flags.enable_flag(store, HERE, a_cause())
    reconciling.reconciled(store, HERE, ReconciledDocument(side=Side.CANDIDATE), a_cause())

    assert flags.enable_flag(store, HERE, a_cause()).enabled


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"operations": {"write": {"percent": 5}}}, "'write' is at 0 % in the phase shadow"),
        ({"operations": {"write": {"mode": "single"}}}, "'write' has the mode dual_write in the phase shadow"),
        ({"operations": {"write": {"kind": "read"}}}, "'write' stays a write in the phase shadow"),
        ({"operations": {"new": {"kind": "write"}}}, "an operation that joined its plan, or left it"),
        ({"switches": {"shadow": False}}, "the switch 'shadow' would end that"),
        ({"candidate": "another"}, "abort"),
        ({"plan": {**a_plan_document(), "kind": "switch"}}, "so its plan stays one that moves data"),
    ],
)
def test_while_paused_nobody_jumps_by_hand(store, flag, change, why):
    at(store, Phase.SHADOW)
    rollouts.pause(store, HERE, a_cause())

    with pytest.raises((Refused, InvalidInput), match=why):
        flags.patch_flag(store, HERE, change, a_cause())


def test_the_answer_tells_where_data_stand_and_a_plan_without_any_says_nothing(store, flag):
    at(store, Phase.DUAL_WRITE)

    told = describe_flag(store, HERE, NOW)["rollout"]

    assert (told["phase"], told["backlog"]) == ("dual_write", {"baseline": 0, "candidate": 0})
    assert told["way_back"] == "A rollback loses nothing: python_pool_v2 has every write"
