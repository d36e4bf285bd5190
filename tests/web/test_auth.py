"""A person in a browser: session, cookie, CSRF; and what every answer carries."""

import re
from datetime import timedelta

import pytest

from controlplane.domain.access import Role
from controlplane.usecases.people import add_person
from controlplane.usecases.signing_in import create_link, use_link
from tests.builders import NOW, a_cause, a_flag_document
from tests.web.conftest import FLAGS
from web.auth import COOKIE, csrf_token, keep_session


@pytest.fixture
def session(store):
    add_person(store, "ann@example.org", Role.OPERATOR, a_cause())
    return use_link(store, create_link(store, "ann@example.org", a_cause()), NOW)


@pytest.fixture
def browser(client, session):
    client.set_cookie(COOKIE, session.secret)
    return client


@pytest.fixture
def csrf(app, session) -> str:
    with app.test_request_context(headers={"Cookie": f"{COOKIE}={session.secret}"}):
        return csrf_token()


def test_a_signed_in_person_may_use_the_api_with_the_csrf_token(browser, csrf) -> None:
    assert browser.get(FLAGS).status_code == 200
    assert browser.post(FLAGS, json=a_flag_document()).status_code == 403
    assert browser.post(FLAGS, json=a_flag_document(), headers={"X-CSRF-Token": "x"}).status_code == 403
    answer = browser.post(FLAGS, json=a_flag_document(), headers={"X-CSRF-Token": csrf})
    history = browser.get(f"{FLAGS}/dspex-bridge/history").json["items"]

    assert answer.status_code == 201
    assert history[0]["actor"] == {"kind": "person", "name": "ann@example.org"}


def test_the_csrf_token_of_one_session_is_worth_nothing_in_another(app, store, session, csrf) -> None:
    other = use_link(store, create_link(store, "ann@example.org", a_cause()), NOW)
    browser = app.test_client()
    browser.set_cookie(COOKIE, other.secret)

    assert browser.post(FLAGS, json=a_flag_document(), headers={"X-CSRF-Token": csrf}).status_code == 403


def test_a_token_needs_no_csrf_token_even_beside_a_session(api, session) -> None:
    api.client.set_cookie(COOKIE, session.secret)

    assert api("POST", "", a_flag_document()).status_code == 201


def test_a_session_that_is_over_is_nobody(browser, clock) -> None:
    clock.go_on(timedelta(days=14))

    assert browser.get(FLAGS).status_code == 401


def test_a_page_sends_nobody_to_the_sign_in(client) -> None:
    page = client.get("/", headers={"Accept": "text/html"})
    fragment = client.get("/", headers={"Accept": "text/html", "HX-Request": "true"})

    assert (page.status_code, page.headers["Location"]) == (303, "/sign-in")
    assert fragment.status_code == 401  # what somebody types meanwhile must not be navigated away
    assert "HX-Redirect" not in fragment.headers


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app, session) -> None:
    for scheme in ("http", "https"):
        with app.test_request_context(base_url=f"{scheme}://throwbar.example.org"):
            response = app.make_response("")
            keep_session(response, session)
        cookie = response.headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is (scheme == "https")


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("odd", 403), ("same-origin", 401), ("none", 401)]
)
def test_a_form_from_another_site_is_refused_before_anybody_is_signed_in(client, site, status) -> None:
    answer = client.post("/sign-in", data={"email": "a@b"}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == status


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "tb_admin_x", "Bearer invented"])
def test_what_is_no_token_is_nobody(client, header) -> None:
    answer = client.get(FLAGS, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="throwbar"'


@pytest.mark.parametrize("path", ["/sign-in", FLAGS, "/api/v1/openapi.json", "/nothing/here", "/static/any/nothing"])
def test_every_answer_is_dressed(client, path) -> None:
    headers = client.get(path).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("given", "kept"), [("deploy-42", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_a_request_id_is_kept_if_it_is_harmless(client, given, kept) -> None:
    answered = client.get(FLAGS, headers={"X-Request-Id": given})

    assert (answered.headers["X-Request-Id"] == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answered.headers["X-Request-Id"])
    assert answered.json["request_id"] == answered.headers["X-Request-Id"]
