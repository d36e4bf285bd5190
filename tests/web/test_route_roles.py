"""Route × caller, complete by construction: it is made from the routes of the application."""

import tempfile
from dataclasses import replace

import pytest
from flask import Flask

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.environments import create_environment
from controlplane.usecases.people import add_person
from controlplane.usecases.signing_in import create_link, use_link
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from web.access import API, EDGE, RULES, UI, Need
from web.app import create_app
from web.auth import COOKIE

ARGUMENTS = {
    "environment": "production",
    "flag": "none",
    "operation": "none",
    "verb": "pause",
    "phase": "before",
    "item": "none",
    "token": 999,
    "number": 999,
    "person": 999,
    "token_id": 999,
    "person_id": 999,
    "secret": "none",
    "handle": "none",
    "entry": 1,
    "filename": "none",
}
CALLERS = ("nobody", "sdk token", "viewer", "operator", "admin", "elsewhere")
FORBIDDEN = (401, 403)


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Flask:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('roles') / 'throwbar.db'}")
    store = open_store(settings.database_url)
    prepare(store, settings, NOW)
    return create_app(store, settings, lambda: NOW)


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    return app.extensions["throwbar"].store


@pytest.fixture(scope="module")
def tokens(store: Store) -> dict[str, str]:
    """A token of each kind; `elsewhere` administers another environment only."""
    create_environment(store, "staging", a_cause())
    admin = TokenRequest(TokenKind.ADMIN, "someone")
    wanted = {
        "sdk token": TokenRequest(TokenKind.SDK, "a service"),
        "elsewhere": replace(admin, role=Role.ADMIN, environment="staging"),
        **{role.value: replace(admin, role=role) for role in Role},
    }
    return {name: create_token(store, each, a_cause())[1] for name, each in wanted.items()}


def routes() -> list[tuple[str, str]]:
    """Every (endpoint, method) of an application like the one under test."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/throwbar.db")
        with open_store(settings.database_url) as store:
            rules = list(create_app(store, settings).url_map.iter_rules())
    return sorted((rule.endpoint, method) for rule in rules for method in rule.methods or ())


ROUTES = routes()
CHANGING = [
    (endpoint, method)
    for endpoint, method in ROUTES
    if method not in {"GET", "HEAD"} and RULES.get(endpoint) is not Need.PUBLIC
]


def address_of(app: Flask, endpoint: str) -> str:
    rule = next(iter(app.url_map.iter_rules(endpoint)))
    with app.test_request_context():
        return rule.build({name: ARGUMENTS[name] for name in rule.arguments})[1]


def allowed(caller: str, endpoint: str) -> bool:
    """What the table says, in the words of this test."""
    rule = RULES[endpoint]
    if rule is Need.PUBLIC:
        return True
    if caller in {"nobody", "sdk token"}:
        return False
    if rule is Need.SIGNED_IN:
        return True
    return caller != "elsewhere" and list(Role).index(Role(caller)) >= list(Role).index(rule)


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert {endpoint for endpoint, _ in ROUTES} == set(RULES)
    assert RULES == {**API, **UI}


def test_the_edge_asks_for_an_sdk_token_wherever_services_come() -> None:
    assert {route for route, need in EDGE.items() if need is Need.SDK} == {route for route in EDGE if "/sdk/" in route}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("endpoint", "method"), ROUTES)
def test_a_route_opens_to_those_whom_the_table_names(app, tokens, endpoint, method, caller) -> None:
    headers = {"Authorization": f"Bearer {tokens[caller]}"} if caller in tokens else {}

    answer = app.test_client().open(
        address_of(app, endpoint), method=method, headers={**headers, "Accept": "application/json"}
    )

    if RULES[endpoint] is Need.PUBLIC:
        # What a view makes of a wrong password or link is its own matter.
        assert answer.status_code < 500
        assert method == "POST" or answer.status_code not in FORBIDDEN
    elif allowed(caller, endpoint):
        assert answer.status_code not in FORBIDDEN
        assert answer.status_code < 500
    else:
        assert answer.status_code == (401 if caller == "nobody" else 403)


@pytest.mark.parametrize(("endpoint", "method"), CHANGING)
def test_a_signed_in_person_changes_nothing_without_the_csrf_token(app, store, endpoint, method) -> None:
    email = f"{endpoint}-{method}@example.org".lower()
    add_person(store, email, Role.ADMIN, a_cause())
    session = use_link(store, create_link(store, email, a_cause()), NOW)
    browser = app.test_client()
    browser.set_cookie(COOKIE, session.secret)

    answer = browser.open(address_of(app, endpoint), method=method, headers={"Accept": "application/json"})

    assert answer.status_code == 403
    assert "another session" in answer.json["detail"]


def test_a_route_that_nobody_thought_of_is_closed_even_to_administrators(store, tokens, tmp_path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'throwbar.db'}")
    app = create_app(store, settings, lambda: NOW)
    app.add_url_rule("/api/v1/forgotten", "api.forgotten", lambda: "open")

    answer = app.test_client().get("/api/v1/forgotten", headers={"Authorization": f"Bearer {tokens['admin']}"})

    assert answer.status_code == 403
    assert "no access rule" in answer.json["detail"]
