"""Is a flag made and edited in one form, with every mistake told at once and no input lost?"""

from controlplane.store import Store
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from tests.builders import a_cause
from tests.web.ui.visitor import FLAG, Visitor, visible

NEW = "/environments/production/new-flag"
BRIDGE = Place("production", "dspex-bridge")
FILLED = {
    "key": "dspex-bridge", "baseline": "python_pool_v2", "candidate": "snakepit", "operations": "echo\nsimple_predict",
    "guarded": "on", "compare": "on", "max_error_rate": "5", "latency_p99": "1000",
    "stage-0-percent": "1", "stage-0-bake": "7", "stage-0-unit": "days",
    "stage-1-percent": "98", "stage-1-bake": "30", "stage-1-unit": "days", "stage-1-approval": "on",
}  # fmt: skip


def test_a_flag_is_made_from_its_form(store: Store, operator: Visitor) -> None:
    told = operator.done(NEW, **FILLED)

    made = flags.get_flag(store, BRIDGE)
    assert "dspex-bridge was created. It is disabled" in told
    assert list(made.operations) == ["echo", "simple_predict"]
    assert made.guardrails
    assert made.guardrails.max_error_rate == 0.05
    assert made.plan
    assert [(stage.share, stage.bake.days, stage.approval) for stage in made.plan.stages] == [
        (1000, 7, False),
        (98_000, 30, True),
    ]


def test_all_mistakes_are_told_at_once_and_the_input_is_kept(operator: Visitor) -> None:
    refused = operator.post(
        NEW, **{**FILLED, "key": "no spaces", "candidate": "python_pool_v2", "stage-1-percent": "0.5"}
    )

    assert refused.status_code == 422
    for name in ("key", "candidate", "stage-1-percent"):
        assert f'id="{name}-wrong"' in refused.text
    for kept in ('value="no spaces"', "echo\nsimple_predict", 'name="stage-1-percent" value="0.5"'):
        assert kept in refused.text


def test_a_number_that_cannot_be_read_hides_no_other_mistake(operator: Visitor) -> None:
    refused = operator.post(NEW, **{**FILLED, "key": "no spaces", "stage-0-percent": "much"})

    assert 'id="stage-0-percent-wrong"' in refused.text
    assert 'id="key-wrong"' in refused.text
    assert "Stage 1, percent must be a number" in visible(refused)


def test_a_key_that_is_taken_is_told_at_the_key(flag: None, operator: Visitor) -> None:
    refused = operator.post(NEW, **FILLED)

    assert refused.status_code == 409
    assert 'id="key-wrong"' in refused.text


def test_a_template_fills_the_plan_and_saves_nothing(store: Store, operator: Visitor) -> None:
    filled = operator.post(NEW, **{**FILLED, "do": "template", "template": "cautious"})

    assert filled.status_code == 200
    assert 'name="stage-2-percent" value="50"' in filled.text
    assert 'value="python_pool_v2"' in filled.text
    assert flags.list_flags(store, "production") == []


def test_the_plan_of_another_flag_fills_the_form_and_saves_nothing(flag: None, store: Store, operator: Visitor) -> None:
    offered = operator.get(NEW)
    filled = operator.post(NEW, **{**FILLED, "key": "other", "do": "template", "template": "plan of dspex-bridge"})

    assert '<option value="plan of dspex-bridge">' in offered.text
    assert filled.status_code == 200
    assert len(flags.list_flags(store, "production")) == 1


def test_one_more_stage_is_one_more_empty_row(operator: Visitor) -> None:
    filled = operator.post(NEW, **{**FILLED, "do": "stage"})

    assert 'name="stage-3-percent" value=""' in filled.text


def test_an_edit_keeps_percents_and_the_switch(store: Store, flag: None, operator: Visitor) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause())

    operator.done(f"{FLAG}/edit", **FILLED, description="Another sentence", expected="2")

    after = flags.get_flag(store, BRIDGE)
    assert (after.description, after.enabled, after.operations["echo"].share) == ("Another sentence", True, 5000)


def test_an_edit_of_an_older_version_shows_both_and_keeps_the_input(
    store: Store, flag: None, operator: Visitor
) -> None:
    flags.patch_flag(store, BRIDGE, {"owner": "somebody else"}, a_cause())

    stale = operator.post(f"{FLAG}/edit", **FILLED, owner="us", expected="1")

    assert stale.status_code == 412
    assert "owner somebody else us" in visible(stale)
    assert 'name="expected" value="2"' in stale.text
    assert 'name="owner" value="us"' in stale.text


def test_the_form_offers_what_is_in_force(flag: None, operator: Visitor) -> None:
    text = operator.get(f"{FLAG}/edit").text

    for kept in (
        'value="python_pool_v2"',
        'name="max_error_rate" value="5"',
        'name="stage-3-percent" value="98"',
        'name="expected" value="1"',
    ):
        assert kept in text


def test_the_plan_tells_what_each_stage_could_see_while_it_is_written(store: Store, flag: None, admin: Visitor) -> None:
    page = admin.get(f"{FLAG}/edit")

    assert "What each stage could see" in visible(page)
    assert "No traffic is known yet: let services report for a while." in visible(page)
    assert "nothing was heard of python_pool_v2 by key before the attempt, of 2 h needed" in visible(page)


def test_another_plan_can_be_tried_and_nothing_is_changed(store: Store, flag: None, admin: Visitor) -> None:
    before = flags.get_flag(store, BRIDGE)

    tried = admin.post(f"{FLAG}/edit", **{**FILLED, "stage-1-percent": "100", "do": "forecast"})

    assert tried.status_code == 200
    assert "Too short to see anything" in visible(tried)
    assert "Nothing is left to compare with at 100 %" in visible(tried)
    assert flags.get_flag(store, BRIDGE) == before
