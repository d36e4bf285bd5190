"""The OpenAPI document: complete by construction, and open to everybody."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from web.api.doors import DOORS


@pytest.fixture
def described(client):
    return client.get("/api/v1/openapi.json").json


def test_every_route_of_the_api_is_described(app, described) -> None:
    routes = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(path, method) for path, doors in described["paths"].items() for method in doors} == routes
    assert set(DOORS) == {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}


def references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_somewhere(described) -> None:
    schemas = described["components"]["schemas"]

    assert {each.removeprefix("#/components/schemas/") for each in references(described)} <= set(schemas)


def test_every_door_says_what_it_does_and_who_may(described) -> None:
    for path, doors in described["paths"].items():
        for method, door in doors.items():
            assert door["summary"], f"{method} {path}"
            assert "Needs: " in door["description"]
            arguments = {each["name"] for each in door["parameters"] if each["in"] == "path"}
            assert arguments == set(re.findall(r"{(\w+)}", path))


def test_what_a_webhook_is_sent_is_described_as_it_is(described) -> None:
    shape = {"$ref": "#/components/schemas/Event", "components": described["components"]}
    golden = json.loads((Path(__file__).parents[2] / "contract" / "webhook_event.json").read_text())
    sent = described["webhooks"]["event"]["post"]

    assert jsonschema_rs.validator_for(shape).is_valid(golden)
    assert not jsonschema_rs.validator_for(shape).is_valid({**golden, "type": "throwbar.rollout.rollback"})
    assert sent["requestBody"]["content"]["application/cloudevents+json"]["schema"]["$ref"] == shape["$ref"]


def test_the_shape_of_a_flag_names_its_fields(described) -> None:
    flag = described["components"]["schemas"]["FlagDocument"]

    assert {"key", "baseline", "candidate"} == set(flag["required"])
    assert flag["additionalProperties"] is False
