"""Features through the same door as migrations: created, changed, moved, taken back, reverted, archived."""

import pytest

from controlplane.documents.flag import flag_document
from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.rollout import State
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.deciding import decision_for
from controlplane.usecases.features import set_targeting
from controlplane.usecases.finish import describe_finish, list_stale
from controlplane.usecases.flag_sets import current_flag_set
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.snapshots import current_snapshot
from tests.builders import NOW, a_cause, a_feature_document, a_flag_document, a_moved_feature_document

HERE = Place("production", "new-checkout")
PRO = {"if": [{"==": [{"var": "tier"}, "pro"]}, "on", None]}


@pytest.fixture
def feature(store):
    return flags.create_flag(store, "production", a_feature_document(), a_cause())


@pytest.fixture
def moved(store):
    document = a_moved_feature_document(operations={"default": {"percent": 10}}, guardrails={"max_error_rate": 0.05})
    return flags.create_flag(store, "production", document, a_cause())


def told(store, key, **attributes):
    answer = decision_for(store, HERE, "", key, attributes)
    return answer["variant"], answer["value"], answer["reason"]


def published(store):
    return current_flag_set(store, "production").document["flags"]["new-checkout"]


def routes(store):
    return current_snapshot(store, "production", Clockwork())["flags"]


def test_who_is_targeted_is_told_with_the_reason(store, feature):
    assert told(store, "k", tier="pro") == ("on", True, "targeting")
    assert told(store, "k", tier="free") == ("off", False, "default")

    flags.disable_flag(store, HERE, a_cause())

    assert told(store, "k", tier="pro") == ("off", False, "disabled")
    assert "targeting" not in published(store)


@pytest.mark.parametrize(
    ("variants", "changed"),
    [({"on": False}, ["variants.on"]), ({"on": False, "off": True}, ["variants.off", "variants.on"])],
)
def test_what_a_rollout_is_decided_on_keeps_its_value_until_it_is_over(store, variants, changed):
    plan = {"stages": [{"percent": 10, "bake_seconds": 60}]}
    flags.create_flag(store, "production", a_moved_feature_document(enabled=True, plan=plan), a_cause())
    rollouts.start(store, HERE, a_cause())

    with pytest.raises(InvalidInput) as refused:
        flags.patch_flag(store, HERE, {"variants": variants}, a_cause())
    flags.patch_flag(store, HERE, {"variants": {"half": True}}, a_cause())
    rollouts.abort(store, HERE, a_cause())
    flags.patch_flag(store, HERE, {"variants": variants}, a_cause())

    assert [each.field for each in refused.value.errors] == changed


def test_a_variant_that_is_rolled_out_is_not_taken_away(store):
    plan = {"stages": [{"percent": 10, "bake_seconds": 60}]}
    flags.create_flag(store, "production", a_moved_feature_document(enabled=True, plan=plan), a_cause())
    rollouts.start(store, HERE, a_cause())

    with pytest.raises(InvalidInput, match="abort it first"):
        flags.patch_flag(store, HERE, {"variants": {"on": None}}, a_cause())


def test_targeting_is_replaced_whole_and_taken_away(store, feature):
    after = set_targeting(store, HERE, {"fractional": [["on", 1], ["off", 1]]}, a_cause(reason="half of them"))

    assert after.feature.targeting == {"fractional": [["on", 1], ["off", 1]]}
    assert list_entries(store, "production", Filter(flag="new-checkout")).items[0].action == "targeting:set"

    assert set_targeting(store, HERE, {}, a_cause()).feature.targeting is None


def test_targeting_that_cannot_be_evaluated_changes_nothing(store, feature):
    with pytest.raises(InvalidInput):
        set_targeting(store, HERE, {"if": [{"var": "x"}, "onn"]}, a_cause())

    assert flags.get_flag(store, HERE) == feature


def test_a_migration_has_no_targeting(store):
    flags.create_flag(store, "production", a_flag_document(key="new-checkout"), a_cause())

    with pytest.raises(Refused, match="it has rules"):
        set_targeting(store, HERE, PRO, a_cause())


@pytest.mark.parametrize("other", [a_flag_document, a_moved_feature_document])
def test_a_kind_stays(store, other):
    made = a_feature_document if other is a_flag_document else a_flag_document
    flags.create_flag(store, "production", made(key="new-checkout"), a_cause())

    with pytest.raises(InvalidInput, match=r"kind: .* a kind cannot be changed"):
        flags.replace_flag(store, HERE, other(key="new-checkout"), a_cause())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda store: flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause()), "operations"),
        (lambda store: flags.set_guardrails(store, HERE, {"max_error_rate": 0.1}, a_cause()), "guardrails"),
        (
            lambda store: flags.set_plan(store, HERE, {"stages": [{"percent": 1, "bake_seconds": 60}]}, a_cause()),
            "plan",
        ),
    ],
)
def test_what_only_a_candidate_has_is_refused_without_one(store, feature, change, field):
    with pytest.raises(InvalidInput, match=f"{field}: needs? a candidate: name the variant"):
        change(store)

    assert flags.get_flag(store, HERE) == feature


def test_a_patch_makes_it_move_and_lets_it_stand_again(store, feature):
    flags.patch_flag(store, HERE, {"targeting": None, "candidate": "on"}, a_cause())
    flags.set_operation(store, HERE, "default", {"percent": 100}, a_cause())

    assert told(store, "k") == ("on", True, "share")

    still = {"candidate": None, "baseline": None, "operations": None}
    after = flags.patch_flag(store, HERE, still, a_cause())

    assert (after.candidate, after.operations) == ("", {})
    assert told(store, "k") == ("off", False, "default")


def test_a_moved_feature_is_rolled_out_and_back_like_a_migration(store, moved):
    started = rollouts.start(store, HERE, a_cause())

    assert (started.rollout.state, started.operations["default"].share) == (State.RUNNING, 1_000)

    back = rollouts.roll_back(store, HERE, a_cause())

    assert (back.rolled_back, back.operations["default"].share) == (True, 0)
    assert told(store, "k") == ("off", False, "rolled_back")
    assert published(store)["metadata"] == {"kind": "feature", "reason": "rolled_back"}


def test_targeting_comes_before_the_share_and_never_before_a_rollback(store, moved):
    set_targeting(store, HERE, PRO, a_cause())

    assert told(store, "k", tier="pro") == ("on", True, "targeting")
    assert told(store, None, tier="free") == ("off", False, "no_key")

    rollouts.roll_back(store, HERE, a_cause(), "default")

    assert told(store, "k", tier="pro") == ("off", False, "rolled_back")


def test_targeting_that_comes_to_no_variant_says_so(store, feature):
    set_targeting(store, HERE, {"var": "wish"}, a_cause())

    answer = decision_for(store, HERE, "", "k", {"wish": "more"})

    assert (answer["variant"], answer["reason"]) == (None, "error")
    assert "more" in answer["sentence"]


def test_sdks_route_what_is_moved_by_a_share_alone_and_know_the_rest_by_its_kind(store, moved):
    assert routes(store)["new-checkout"]["kind"] == "migration"  # which SDKs of any age route
    assert (routes(store)["new-checkout"]["baseline"], routes(store)["new-checkout"]["candidate"]) == ("off", "on")

    set_targeting(store, HERE, PRO, a_cause())

    assert routes(store) == {"new-checkout": {"kind": "feature"}}
    warnings = describe_flag(store, HERE, NOW)["rollout"]["warnings"]
    assert any("only limits guard it" in each for each in warnings)


@pytest.mark.parametrize(
    ("limits", "operations", "sentence"),
    [
        ({"max_error_rate": 0.05}, {}, "only limits guard it"),
        ({"max_latency_ms": {"p99": 500}}, {}, "only limits guard it"),
        ({}, {"default": {"guardrails": {"max_error_rate": 0.05}}}, "only limits guard it"),
        ({}, {}, "nothing guards it, as its guardrails have no limits"),
    ],
)
def test_one_that_is_targeted_and_moved_says_what_guards_it(store, limits, operations, sentence):
    document = a_moved_feature_document(targeting=PRO, guardrails=limits, operations=operations)
    flags.create_flag(store, "production", document, a_cause())

    assert any(sentence in each for each in describe_flag(store, HERE, NOW)["rollout"]["warnings"])


def test_an_earlier_version_comes_back_with_its_variants(store, feature):
    flags.patch_flag(store, HERE, {"variants": {"on": "yes", "off": "no"}, "targeting": None}, a_cause())

    flags.revert_flag(store, HERE, 1, a_cause())

    assert flag_document(flags.get_flag(store, HERE)) == flag_document(feature)


def test_archived_it_answers_as_before(store, feature):
    flags.archive_flag(store, HERE, a_cause())

    assert published(store)["targeting"] == PRO
    assert published(store)["metadata"] == {"kind": "feature", "archived": True}
    assert told(store, "k", tier="pro") == ("on", True, "targeting")


def test_rolling_back_takes_a_feature_back_that_is_not_moved(store, feature):
    rollouts.roll_back(store, HERE, a_cause())

    assert told(store, "k", tier="pro") == ("off", False, "rolled_back")
    assert "targeting" not in published(store)

    rollouts.unlock(store, HERE, a_cause())

    assert told(store, "k", tier="pro") == ("on", True, "targeting")


def test_a_feature_is_not_stale_for_want_of_calls_and_has_nothing_to_finish(store, feature):
    assert list_stale(store, "production", NOW.replace(year=2030)) == []
    assert "nothing to finish" in describe_finish(store, HERE, NOW)["sentence"]


def test_who_gets_what_of_several_operations_names_one(store):
    operations = {"search": {"percent": 0}, "suggest": {"percent": 100}}
    flags.create_flag(store, "production", a_moved_feature_document(operations=operations), a_cause())

    with pytest.raises(InvalidInput, match="must name an operation"):
        told(store, "k")
    assert decision_for(store, HERE, "suggest", "k", {})["value"] is True
    with pytest.raises(NotFound):
        decision_for(store, Place("production", "none"), "", "k", {})
