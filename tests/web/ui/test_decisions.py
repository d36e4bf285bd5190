"""Who gets what, asked on the page and over HTTP."""

import pytest

from controlplane.store import Store
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from tests.builders import a_cause
from tests.web.conftest import Api
from tests.web.ui.visitor import FLAG, Visitor, visible

RULE = {"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "candidate"}
BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture(autouse=True)
def ruled(store: Store, flag: None) -> None:
    flags.patch_flag(store, BRIDGE, {"rules": [RULE]}, a_cause())


def test_the_page_of_a_flag_offers_the_question_and_its_address_answers_it(viewer: Visitor) -> None:
    assert 'action="/environments/production/flags/dspex-bridge/decision"' in viewer.get(FLAG).text

    told = viewer.text(f"{FLAG}/decision?operation=echo&key=session-42&attributes=tenant%3Dacme")

    assert "session-42 goes to snakepit , the candidate. Rule 1 matches: tenant is acme" in told


def test_a_key_that_no_rule_speaks_of_stays_where_the_percent_leaves_it(viewer: Visitor) -> None:
    told = viewer.text(f"{FLAG}/decision?operation=echo&key=session-42&attributes=")

    assert "goes to python_pool_v2 , the baseline. echo is at 0 %, for every key." in told


def test_with_htmx_the_card_alone_is_answered(viewer: Visitor) -> None:
    answer = viewer.get(f"{FLAG}/decision?operation=echo&key=", **{"HX-Request": "true"})

    assert answer.text.lstrip().startswith('<section id="decision"')
    assert "A call without a key goes to" in visible(answer)


def test_attributes_that_cannot_be_read_are_named_and_kept(viewer: Visitor) -> None:
    answer = viewer.get(f"{FLAG}/decision?operation=echo&key=k&attributes=acme")

    assert answer.status_code == 422
    assert "have a line without a name and =" in visible(answer)
    assert ">acme</textarea>" in answer.text


def test_the_api_answers_the_same(api: Api) -> None:
    found = api("GET", '/dspex-bridge/decision?operation=echo&key=k&attributes={"tenant":"acme"}')

    assert found.status_code == 200
    assert {name: found.json[name] for name in ("backend", "side", "reason", "rule", "key")} == {
        "backend": "snakepit",
        "side": "candidate",
        "reason": "rule",
        "rule": 1,
        "key": "k",
    }


@pytest.mark.parametrize(("query", "field"), [("key=k", "operation"), ("operation=echo&attributes=x", "attributes")])
def test_the_api_names_what_it_cannot_read(api: Api, query: str, field: str) -> None:
    refused = api("GET", f"/dspex-bridge/decision?{query}")

    assert refused.status_code == 422
    assert field in refused.text
