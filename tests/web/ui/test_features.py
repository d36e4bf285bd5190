"""Pages of features, without a browser: made in a form, shown, targeted, and asked who gets what."""

import pytest

from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.features import set_targeting
from tests.builders import a_cause, a_feature_document, a_moved_feature_document
from tests.web.ui.visitor import FLAGS, Visitor, visible

PAGE = f"{FLAGS}/new-checkout"
HERE = Place("production", "new-checkout")
NEW = "/environments/production/new-flag"
ROWS = {"variant-0-name": "on", "variant-0-value": "true", "variant-1-name": "off", "variant-1-value": "false"}
FORM = {"kind": "feature", "key": "new-checkout", "value_type": "boolean", "baseline": "off", **ROWS}


@pytest.fixture
def feature(store) -> None:
    flags.create_flag(store, "production", a_feature_document(), a_cause())


def test_a_feature_is_made_in_a_form(operator: Visitor, store) -> None:
    assert "New feature" in operator.text(f"{NEW}?kind=feature")

    told = operator.done(NEW, **FORM, targeting='{"if": [{"var": "beta"}, "on", null]}')

    assert "new-checkout was created. It is disabled: everybody gets off." in told
    made = flags.get_flag(store, HERE)
    assert (dict(made.feature.variants), made.baseline, made.candidate) == ({"on": True, "off": False}, "off", "")
    assert made.feature.targeting == {"if": [{"var": "beta"}, "on", None]}


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [("string", "true", "true"), ("number", "1,5", 1.5), ("number", "10", 10), ("object", '{"a": 1}', {"a": 1})],
)
def test_values_are_read_as_their_type(operator: Visitor, store, value_type, text, value) -> None:
    row = {"variant-0-name": "a", "variant-0-value": text, "variant-1-name": "", "variant-1-value": ""}

    operator.done(NEW, **{**FORM, **row, "value_type": value_type, "baseline": "a"})

    assert flags.get_flag(store, HERE).feature.variants == {"a": value}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"variant-1-value": "no"}, "off: is a string and the first one a boolean"),
        ({"variant-1-name": "on"}, "on, again: starts with"),
        ({"targeting": "{"}, "must be a JSON object, like"),
        ({"targeting": '{"if": [true, "onn"]}'}, "at if.1: 'onn' is not a variant"),
        ({"baseline": "of"}, "'of' is not a variant"),
        ({"guarded": "on", "max_error_rate": "5"}, "need a candidate"),
        ({"operations": "search"}, "need a candidate"),
    ],
)
def test_a_mistake_is_told_with_what_was_typed(operator: Visitor, changes, sentence) -> None:
    response = operator.post(NEW, **{**FORM, **changes})

    assert response.status_code == 422
    assert sentence in visible(response)
    assert 'value="new-checkout"' in response.text


def test_more_rows_are_there_when_asked_for(operator: Visitor) -> None:
    response = operator.post(NEW, **FORM, do="variant")

    assert response.text.count('name="variant-') == 8
    assert 'value="false"' in response.text


def test_a_form_that_is_saved_as_it_is_changes_nothing(operator: Visitor, store, feature) -> None:
    before = flags.get_flag(store, HERE)
    row = {**FORM, "targeting": '{"if": [{"==": [{"var": "tier"}, "pro"]}, "on", null]}'}

    assert "Saved." in operator.done(f"{PAGE}/edit", **row, expected="1")
    assert flags.get_flag(store, HERE) == before


def test_a_form_that_is_too_late_shows_both_versions(operator: Visitor, store, feature) -> None:
    set_targeting(store, HERE, {"var": "wish"}, a_cause())

    response = operator.post(f"{PAGE}/edit", **FORM, expected="1")

    assert response.status_code == 412
    assert "how it differs from what is in force now" in visible(response)
    assert "wish" in visible(response)


def test_what_stages_could_see_can_be_asked_for_before_there_are_any(operator: Visitor, feature) -> None:
    assert operator.post(f"{PAGE}/edit", **FORM, do="forecast").status_code == 200
    moved = {**FORM, "candidate": "on", "stage-0-percent": "5", "stage-0-bake": "1", "stage-0-unit": "hours"}
    assert operator.post(f"{PAGE}/edit", **moved, do="forecast").status_code == 200


def test_a_page_shows_variants_and_targeting_and_nothing_of_a_rollout(operator: Visitor, feature) -> None:
    text = operator.text(PAGE)

    assert "Enabled: who is targeted gets what the targeting says, and everybody else off ." in text
    assert "Variants" in text
    assert "Operations" not in text
    assert "Guardrails" not in text


def test_a_feature_that_was_rolled_back_can_be_unlocked_on_its_page(operator: Visitor, store, feature) -> None:
    rollouts.roll_back(store, HERE, a_cause())

    assert "Rolled back: everybody gets off" in operator.text(PAGE)
    assert "Unlocked." in operator.done(f"{PAGE}/rollout/unlock")


def test_targeting_is_changed_on_the_page(operator: Visitor, store, feature) -> None:
    assert "The targeting was changed." in operator.done(f"{PAGE}/targeting", targeting='{"var": "v"}', expected="1")
    assert flags.get_flag(store, HERE).feature.targeting == {"var": "v"}
    assert "The targeting was taken away." in operator.done(f"{PAGE}/targeting", targeting=" ", expected="2")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [('{"log": "on"}', "at log: prints where"), ("[1]", "must be a JSON object"), ("on", "must be")],
)
def test_wrong_targeting_is_told_at_its_field(operator: Visitor, store, feature, typed, sentence) -> None:
    response = operator.post(f"{PAGE}/targeting", targeting=typed, expected="1")

    assert response.status_code == 422
    assert sentence in visible(response)
    assert 'aria-describedby="targeting-wrong"' in response.text
    assert flags.get_flag(store, HERE).version == 1


def test_who_looks_away_meanwhile_is_told_what_others_did(operator: Visitor, store, feature) -> None:
    flags.disable_flag(store, HERE, a_cause())

    assert operator.post(f"{PAGE}/targeting", targeting="", expected="1").status_code == 412


def test_who_gets_what(operator: Visitor, feature) -> None:
    assert "c-1 gets on , true . The targeting comes to on." in operator.text(
        f"{PAGE}/decision?key=c-1&attributes=tier%3Dpro"
    )
    assert "A call without a key gets off , false ." in operator.text(f"{PAGE}/decision?key=")


def test_a_list_tells_kinds_apart(operator: Visitor, store, feature) -> None:
    flags.create_flag(store, "production", a_moved_feature_document(key="search-v2"), a_cause())

    text = operator.text(FLAGS)

    assert "off by default" in text
    assert "2 variants" in text
    assert "new-checkout" not in operator.text(f"{FLAGS}?kind=migration")


def test_every_page_of_a_feature_can_be_opened(operator: Visitor, store, feature) -> None:
    flags.create_flag(store, "production", a_moved_feature_document(key="search-v2", enabled=False), a_cause())
    for key in ("new-checkout", "search-v2"):
        for page in ("", "/edit", "/checklist", "/criteria", "/finish-line", "/backtest", "/live", "/summaries"):
            assert operator.get(f"{FLAGS}/{key}{page}").status_code == 200, page
