"""The OpenAPI description: made from the routes, the access table and the documents."""

import copy
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version as installed
from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from werkzeug.routing import Rule

from controlplane.documents.schemas import body_schemas
from web.access import Need, rule_of
from web.api.answers import ANSWERS
from web.api.doors import DOORS, PARAMETERS, Door, Version
from web.api.shapes import SHAPES

blueprint = Blueprint("description", __name__)

_ARGUMENT = re.compile(r"<(?:(?P<kind>[^:>]+):)?(?P<name>[^>]+)>")
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PROBLEMS = {
    400: "what came cannot be read",
    401: "no valid token or session",
    403: "the role is too small",
    404: "it does not exist",
    409: "the state forbids it, or the name is taken",
    412: "somebody changed the flag in the meantime",
    413: "the body is larger than 1 MiB",
    415: "the body is not application/json",
    422: "some fields cannot be accepted; `errors` names each",
    428: "If-Match is missing",
}


_HEADERS = {
    "webhook-id": "of the event, the same at each attempt",
    "webhook-timestamp": "of the attempt, in seconds since 1970",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; two while a secret is changed",
}
_EVENT: dict[str, Any] = {
    "summary": "What a webhook is sent: an audit entry as a CloudEvent, signed as Standard Webhooks says.",
    "operationId": "event",
    "security": [],
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": text}
        for name, text in _HEADERS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {"application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Event"}}},
    },
    "responses": {
        "2XX": {"description": "heard"},
        "410": {"description": "gone: the webhook is disabled"},
        "default": {"description": "not heard: it is tried again"},
    },
}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """This description."""
    return jsonify(describe(list(current_app.url_map.iter_rules()), current_app.view_functions))


def describe(rules: list[Rule], views: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.1 of every route of the API."""
    paths: dict[str, Any] = {}
    for rule in sorted(rules, key=lambda each: each.rule):
        if rule.endpoint in DOORS:
            path = paths.setdefault(_ARGUMENT.sub(lambda found: f"{{{found['name']}}}", rule.rule), {})
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path[method.lower()] = _operation(rule, method, views[rule.endpoint])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Throwbar", "version": installed("throwbar-server")},
        "security": [{"token": []}],
        "paths": paths,
        "webhooks": {"event": {"post": _EVENT}},
        "components": {
            "schemas": {**body_schemas(), **_of_either_kind(), **ANSWERS, **SHAPES},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _of_either_kind() -> dict[str, Any]:
    """A migration or a feature, whole or as a merge patch: there every field may be left out, and null removes."""
    kinds = {"migration": "FlagDocument", "feature": "FeatureDocument"}
    whole = {kind: f"#/components/schemas/{name}" for kind, name in kinds.items()}
    patches = [copy.deepcopy(body_schemas()[name]) for name in kinds.values()]
    for patch in patches:
        patch.pop("required", None)
    return {"AnyFlag": {"anyOf": [{"$ref": place} for place in whole.values()]}, "FlagPatch": {"anyOf": patches}}


def _operation(rule: Rule, method: str, view: Any) -> dict[str, Any]:  # noqa: ANN401 - a view of Flask
    door, need = DOORS[rule.endpoint], rule_of(rule.endpoint)
    summary, _, rest = (inspect.getdoc(view) or "").partition("\n\n")
    told: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api."),
        "summary": summary,
        "description": f"{rest}\n\nNeeds: {need}.".strip(),
        "parameters": [*_arguments(rule), *_query(door), *_if_match(door)],
        "responses": {**_good(door), **_bad(door, method, public=need is Need.PUBLIC)},
    }
    if need is Need.PUBLIC:
        told["security"] = []
    if door.takes:
        told["requestBody"] = _body(door)
    return told


def _arguments(rule: Rule) -> Iterator[dict[str, Any]]:
    for found in _ARGUMENT.finditer(rule.rule):
        kind = found["kind"] or "string"
        schema: dict[str, Any] = {"type": "integer"} if kind == "int" else {"type": "string"}
        if kind.startswith("any("):
            schema["enum"] = [each.strip(' "') for each in kind[4:-1].split(",")]
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}


def _query(door: Door) -> Iterator[dict[str, Any]]:
    for name in door.query:
        schema = dict(PARAMETERS[name])
        yield {"name": schema.pop("name", name), "in": "query", "schema": schema}


def _if_match(door: Door) -> Iterator[dict[str, Any]]:
    if door.version is not Version.IGNORED:
        text = "the version of the flag that the caller saw, in quotes"
        required = door.version is Version.REQUIRED
        yield {
            "name": "If-Match",
            "in": "header",
            "required": required,
            "schema": {"type": "string"},
            "description": text,
        }


def _body(door: Door) -> dict[str, Any]:
    form = "application/merge-patch+json" if door.partial else "application/json"
    name = "FlagPatch" if door.partial else door.takes
    content = {form: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {
        "required": not str(door.takes).startswith(("Finish", "Reason", "RollBack", "Rotate", "Start")),
        "content": content,
    }


def _good(door: Door) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{door.gives}"}}}
    if "report_format" in door.query:
        content["text/html"] = {"schema": {"type": "string"}}
    if "format" in door.query:
        content["text/csv"] = {"schema": {"type": "string"}}
    found: dict[str, Any] = {str(door.status): {"description": "done", "content": content}}
    if door.gives == "Flag" and not door.takes and door.version is Version.IGNORED:
        found["304"] = {"description": "the caller has this version already"}
    return found


def _bad(door: Door, method: str, *, public: bool) -> dict[str, Any]:
    codes = {404, 422} if public else {401, 403, 404, 422}
    if method in _WRITES:
        codes |= {400, 409, 413, 415}
    if door.version is not Version.IGNORED:
        codes |= {412}
    if door.version is Version.REQUIRED:
        codes |= {428}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(code): {"description": _PROBLEMS[code], "content": content} for code in sorted(codes)}
