"""Route × caller, complete by construction: it is made from the routes of the application."""

import tempfile
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from controlplane.domain.access import EVERYWHERE, Person, Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.environments import create_environment
from controlplane.usecases.own_tokens import create_own_token
from controlplane.usecases.people import add_person, set_role
from controlplane.usecases.signing_in import create_link, use_link
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from web.access import API, RULES, UI, Need
from web.app import create_app
from web.auth import COOKIE, csrf_token

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
    "webhook": 999,
    "delivery": 999,
    "secret": "none",
    "handle": "none",
    "entry": 1,
    "filename": "none",
    "version_asked": "any",
}
FORBIDDEN = (401, 403)


@dataclass(frozen=True)
class Caller:
    """`kind`: nobody, sdk, token, session, or own: a token of somebody who had more rights when they made it."""

    kind: str
    role: Role | None = None
    where: str = EVERYWHERE

    def __str__(self) -> str:
        return f"{self.kind} {self.role or ''} {self.where}"

    def may(self, endpoint: str, arguments: set[str]) -> bool:
        """What the table says, in the words of this test."""
        rule = RULES[endpoint]
        if rule is Need.PUBLIC:
            return True
        if self.role is None:
            return False
        if rule is Need.SIGNED_IN:
            return True
        is_here = self.where == EVERYWHERE or (self.where == "production" and "environment" in arguments)
        return is_here and list(Role).index(self.role) >= list(Role).index(rule)


ENDS_A_SESSION = ("ui.signing_in.out", "ui.profile.sign_out_everywhere", "ui.profile.set_password")
CALLERS = [
    Caller("nobody"),
    Caller("sdk"),
    *(
        Caller(kind, role, where)
        for kind in ("token", "session")
        for role in Role
        for where in (EVERYWHERE, "production")
    ),
    *(Caller(kind, Role.ADMIN, "staging") for kind in ("token", "session", "own")),
    *(Caller("own", role, "production") for role in Role),
]


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
def people(store: Store) -> dict[Caller, Person]:
    """Whoever is a person, or has a token of their own: an administrator who was left with the role of the caller."""
    create_environment(store, "staging", a_cause())
    found = {}
    for number, caller in enumerate(each for each in CALLERS if each.kind in {"session", "own"}):
        person = add_person(store, f"person-{number}@example.org", Role.ADMIN, a_cause())
        found[caller] = person
    return found


@pytest.fixture(scope="module")
def secrets(store: Store, people: dict[Caller, Person]) -> dict[Caller, str]:
    """The token of each caller that has one."""
    admin = TokenRequest(TokenKind.ADMIN, "someone", role=Role.ADMIN)
    found = {Caller("sdk"): create_token(store, TokenRequest(TokenKind.SDK, "a service"), a_cause())[1]}
    for caller in CALLERS:
        if caller.kind == "token":
            wanted = replace(admin, role=caller.role, environment=None if caller.where == EVERYWHERE else caller.where)
            found[caller] = create_token(store, wanted, a_cause())[1]
        if caller.kind == "own":
            found[caller] = create_own_token(store, people[caller], admin, a_cause())[1]
    add_person(store, "the-last@example.org", Role.ADMIN, a_cause())
    for caller, person in people.items():
        set_role(store, person.id, caller.role if caller.where == EVERYWHERE else None, a_cause())
        if caller.where != EVERYWHERE:
            set_role(store, person.id, caller.role, a_cause(), caller.where)
    return found


def asking(app: Flask, caller: Caller, secrets: dict[Caller, str], people: dict[Caller, Person]) -> FlaskClient:
    """A client that asks as somebody, with whatever a browser or a program of theirs would send."""
    client = app.test_client()
    if caller in secrets:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secrets[caller]}"
    if caller.kind == "session":
        store = app.extensions["throwbar"].store
        session = use_link(store, create_link(store, people[caller].email, a_cause()), NOW)
        client.set_cookie(COOKIE, session.secret)
        with app.test_request_context(headers={"Cookie": f"{COOKIE}={session.secret}"}):
            client.environ_base["HTTP_X_CSRF_TOKEN"] = csrf_token()
    return client


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


def arguments_of(app: Flask, endpoint: str) -> set[str]:
    return next(iter(app.url_map.iter_rules(endpoint))).arguments


def address_of(app: Flask, endpoint: str) -> str:
    rule = next(iter(app.url_map.iter_rules(endpoint)))
    with app.test_request_context():
        return rule.build({name: ARGUMENTS[name] for name in rule.arguments})[1]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert {endpoint for endpoint, _ in ROUTES} == set(RULES)
    assert RULES == {**API, **UI}


@pytest.mark.parametrize("caller", CALLERS, ids=str)
def test_every_route_opens_to_those_whom_the_table_names_and_to_nobody_else(app, secrets, people, caller) -> None:
    client, wrong = asking(app, caller, secrets, people), []
    for endpoint, method in ROUTES:
        if endpoint in ENDS_A_SESSION:
            client = asking(app, caller, secrets, people)
        answer = client.open(address_of(app, endpoint), method=method, headers={"Accept": "application/json"})
        if not as_the_table_says(caller, endpoint, method, answer.status_code, arguments_of(app, endpoint)):
            wrong.append(f"{method} {endpoint}: {answer.status_code}")
        if endpoint in ENDS_A_SESSION:
            client = asking(app, caller, secrets, people)

    assert wrong == []


def as_the_table_says(caller: Caller, endpoint: str, method: str, status: int, arguments: set[str]) -> bool:
    if status >= 500:
        return False
    if RULES[endpoint] is Need.PUBLIC:  # what a view makes of a wrong password or link is its own matter
        return method == "POST" or status not in FORBIDDEN
    if caller.may(endpoint, arguments):
        return status not in FORBIDDEN
    return status == (401 if caller.kind == "nobody" else 403)


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


def test_a_route_that_nobody_thought_of_is_closed_even_to_administrators(store, secrets, tmp_path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'throwbar.db'}")
    app = create_app(store, settings, lambda: NOW)
    app.add_url_rule("/api/v1/forgotten", "api.forgotten", lambda: "open")

    answer = app.test_client().get(
        "/api/v1/forgotten", headers={"Authorization": f"Bearer {secrets[Caller('token', Role.ADMIN)]}"}
    )

    assert answer.status_code == 403
    assert "no access rule" in answer.json["detail"]
