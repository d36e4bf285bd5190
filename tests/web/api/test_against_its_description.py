"""Every door against its own description, as every caller: no answer of 5xx, none that is not described, none too many.

What comes in is made from the description, fitting and not fitting, with the names of things that exist among it; the
long run: `make soak`.
"""

import copy
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import make_url
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from controlplane.domain.access import Role
from controlplane.settings import Settings
from controlplane.store import open_store
from tests.web.api.lived_in import BODIES, KNOWN, World, settle
from web.access import API, Need
from web.app import create_app
from web.wiring import install

LONG = bool(os.environ.get("LONG_TESTS"))
EXAMPLES = 1_000 if LONG else 30
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)] if LONG else ["sqlite"]
CALLERS = ("admin", "operator", "admin", "viewer", "sdk", "nobody")  # what stands first is drawn more often
MOSTLY = st.sampled_from([True, True, True, False])
HARD = settings(
    max_examples=EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
CHECKS = [
    *(not_a_server_error, status_code_conformance, content_type_conformance),
    *(response_headers_conformance, response_schema_conformance),
]


def doors() -> list[str]:
    """`METHOD path` of each door that the description names."""
    with tempfile.TemporaryDirectory() as folder:
        given = Settings(database_url=f"sqlite:///{folder}/throwbar.db", secret_key="k" * 32)
        with open_store(given.database_url) as store:
            paths = create_app(store, given).test_client().get("/api/v1/openapi.json").json["paths"]
    return [f"{method.upper()} {path}" for path, found in paths.items() for method in found]


@pytest.fixture(scope="module", params=KINDS)
def model(request, tmp_path_factory) -> Iterator[tuple[str, World]]:
    """The address of a database, and the world in it."""
    with ExitStack() as rooms:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('lived-in') / 'throwbar.db'}"
        else:
            url = rooms.enter_context(request.getfixturevalue("postgres").database())
        given = Settings(database_url=url, secret_key="k" * 32)
        with open_store(url) as store:
            world = settle(store, given)
        yield url, world


@pytest.fixture
def world(request, model, tmp_path) -> Iterator[World]:
    """A copy of one's own: what one door does is no matter of another."""
    url, made = model
    name = make_url(url).database
    with ExitStack() as rooms:
        if url.startswith("sqlite"):
            copied = f"sqlite:///{shutil.copy(name, tmp_path / 'throwbar.db')}"
        else:
            copied = rooms.enter_context(request.getfixturevalue("postgres").database(name))
        store = rooms.enter_context(open_store(copied))
        install(made.app, replace(made.app.extensions["throwbar"], store=store))
        yield replace(made, store=store)


def without_keys(document: dict) -> dict:
    """The description as of doors without locks: who calls is drawn here, and never made up."""
    open_to_all = copy.deepcopy(document)
    open_to_all.pop("security")
    open_to_all["components"].pop("securitySchemes")
    return open_to_all


@st.composite
def requests(draw, operation: APIOperation, world: World):
    """What the description lets somebody send, and what it does not; among it names that exist and bodies that fit."""
    raw = operation.definition.raw
    fitting = operation.as_strategy(GenerationMode.POSITIVE)
    strange = operation.as_strategy(GenerationMode.NEGATIVE) if raw["parameters"] or "requestBody" in raw else fitting
    case = draw(st.one_of(fitting, fitting, strange))
    for name in case.path_parameters or {}:
        known = world.numbers.get(name) or KNOWN.get(name)
        if known and draw(MOSTLY):
            case.path_parameters = {**case.path_parameters, name: draw(st.sampled_from(known))}
    if any(each["name"] == "If-Match" for each in raw["parameters"]) and draw(MOSTLY):
        case.headers["If-Match"] = draw(st.sampled_from(KNOWN["If-Match"]))
    if "requestBody" in raw and draw(st.sampled_from([True, False])):
        ((case.media_type, content),) = raw["requestBody"]["content"].items()
        case.body = BODIES[content["schema"]["$ref"].rpartition("/")[2]]
    return case


def may(caller: str, rule: Need | Role) -> bool:
    if rule is Need.PUBLIC:
        return True
    if caller in {"nobody", "sdk"}:
        return False
    return rule is Need.SIGNED_IN or Role(caller).covers(rule)


@pytest.fixture(scope="module")
def operations(model) -> dict[str, APIOperation]:
    """Each door of the description by its name."""
    world = model[1]
    document = world.app.test_client().get("/api/v1/openapi.json").json
    found = schemathesis.openapi.from_dict(without_keys(document)).get_all_operations()
    return {operation.label: operation for operation in (each.ok() for each in found)}


def is_an_address(app: Flask, url: str, method: str) -> bool:
    """Whether any route has it: a number that is none, or a word that is not known there, is nobody's."""
    try:
        app.url_map.bind("localhost").match(unquote(urlsplit(url).path), method)
    except (NotFound, RequestRedirect):
        return False
    return True


@pytest.mark.soak
@pytest.mark.parametrize("door", doors())
def test_a_door_answers_as_it_is_described_and_opens_to_those_it_names(world, operations, door) -> None:
    operation = operations[door]
    operation.app = world.app
    rule = API[f"api.{operation.definition.raw['operationId']}"]

    @seed(20_260_105)
    @HARD
    @given(requests(operation, world), st.sampled_from(CALLERS))
    def walk(case, caller) -> None:
        secret, before = world.secrets[caller], world.mark
        answer = case.call(headers={"Authorization": f"Bearer {secret}"} if secret else {})
        case.validate_response(answer, checks=CHECKS)
        if not is_an_address(world.app, answer.request.url, case.method):
            assert answer.status_code == 404
        elif may(caller, rule):
            assert answer.status_code not in {401, 403}
        else:
            assert answer.status_code == (401 if caller == "nobody" else 403)
            assert world.mark == before

    walk()
