"""Features over HTTP: what was sent is what is answered, every misuse is named, and a list tells kinds apart."""

import pytest

from tests.builders import a_feature_document, a_flag_document, a_moved_feature_document


@pytest.fixture
def feature(api) -> str:
    assert api("POST", "", a_feature_document()).status_code == 201
    return "/new-checkout"


def test_a_feature_is_answered_as_it_was_sent(api) -> None:
    for sent in (a_feature_document(), a_moved_feature_document(key="moved")):
        answer = api("POST", "", sent).json
        shown = {name: answer[name] for name in sent if name != "plan"}

        assert shown == {name: value for name, value in sent.items() if name != "plan"}


def test_an_answer_can_be_sent_back(api, feature) -> None:
    answer = api("GET", feature).json

    assert api("PUT", feature, answer, version=1).json["version"] == 1


def test_a_list_has_the_wanted_kind(api, feature) -> None:
    api("POST", "", a_flag_document())

    assert [each["key"] for each in api("GET", "?kind=feature").json["items"]] == ["new-checkout"]
    assert [each["key"] for each in api("GET", "?kind=migration").json["items"]] == ["dspex-bridge"]
    assert api("GET", "?kind=toggle").status_code == 422


def test_targeting_is_set_by_itself(api, feature) -> None:
    wanted = {"fractional": [["on", 5], ["off", 95]]}

    answer = api("PUT", f"{feature}/targeting?reason=half", wanted, version=1)

    assert answer.json["targeting"] == wanted
    assert api("PUT", f"{feature}/targeting", {}, version=2).json["targeting"] is None
    assert api("PUT", f"{feature}/targeting", wanted).status_code == 428


@pytest.mark.parametrize(
    ("method", "path", "document", "field"),
    [
        ("PUT", "/operations/default", {"percent": 5}, "operations"),
        ("PUT", "/guardrails", {"max_error_rate": 0.1}, "guardrails"),
        ("PUT", "/plan", {"stages": [{"percent": 1, "bake_seconds": 60}]}, "plan"),
        ("PUT", "/targeting", {"if": [{"var": "x"}, "onn"]}, "targeting.if.1"),
        ("PATCH", "", {"kind": "migration"}, "kind"),
        ("PATCH", "", {"default_variant": "maybe"}, "default_variant"),
        ("PATCH", "", {"variants": {"on": None}}, "targeting.if.1"),
        ("PUT", "", {"baseline": "a", "candidate": "b"}, "kind"),
    ],
)
def test_misuse_is_named_and_changes_nothing(api, feature, method, path, document, field) -> None:
    answer = api(method, feature + path, document, version=1)

    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json["errors"]}
    assert api("GET", feature).json["version"] == 1


def test_who_gets_what_needs_no_operation(api, feature) -> None:
    answer = api("GET", f'{feature}/decision?key=k&attributes={{"tier":"pro"}}').json

    assert (answer["variant"], answer["value"], answer["side"]) == ("on", True, None)
