"""Signing in by OpenID Connect, against a provider that speaks real HTTP and signs with real keys."""

import base64
import hmac
import json
import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from controlplane.domain.access import Role
from controlplane.settings import Settings
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.people import add_person, find_person, list_people
from controlplane.usecases.signing_in import create_link, session_of, use_link
from tests.builders import NOW, a_cause
from tests.infrastructure.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.web.ui.visitor import visible
from web.app import create_app
from web.auth import COOKIE

BACK = "/sign-in/openid/back"


@pytest.fixture
def provider(clock):
    started = OpenIdProvider(clock)
    yield started
    started.close()


@pytest.fixture
def settings(migrated_sqlite_url, provider) -> Settings:
    return Settings(
        database_url=migrated_sqlite_url,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_label="Example ID",
        oidc_domains="example.org",
    )


@pytest.fixture
def ann(store):
    return add_person(store, "ann@example.org", Role.OPERATOR, a_cause())


def left(client) -> str:
    """The address at the provider that the browser is sent to."""
    return client.get("/sign-in/openid").headers["Location"]


def came(client) -> str:
    """Off to the provider and to its answer: the address that it sends the browser back to."""
    back = httpx.get(left(client)).headers["Location"]
    return back.removeprefix("http://localhost")


def signed_in(client):
    return client.get(came(client))


def secret_of(response) -> str:
    return response.headers["Set-Cookie"].partition(f"{COOKIE}=")[2].partition(";")[0]


def assert_refused(client, response, words, status=401) -> None:
    assert (response.status_code, client.get_cookie(COOKIE)) == (status, None)
    assert words in visible(response)


def test_the_button_is_there_where_a_provider_is_set_up(client) -> None:
    page = client.get("/sign-in").text

    assert 'href="/sign-in/openid"' in page
    assert "Sign in with Example ID" in page


def test_without_a_provider_there_is_no_button_and_no_way(store, sqlite_url, clock) -> None:
    client = create_app(store, Settings(database_url=sqlite_url), clock).test_client()

    assert "/sign-in/openid" not in client.get("/sign-in").text
    for path in ("/sign-in/openid", BACK):
        assert client.get(path).status_code == 404


def test_somebody_known_is_signed_in_and_it_is_written_down(client, store, ann) -> None:
    answer = signed_in(client)
    entry = list_entries(store, "production", Filter()).items[0]

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert session_of(store, client.get_cookie(COOKIE).value, NOW).email == ann.email
    assert (entry.action, entry.actor.name) == ("person:sign_in", ann.email)
    assert entry.reason == "signed in with Example ID"


def test_the_provider_leads_on_to_the_page_that_was_asked_for(client, ann) -> None:
    client.get("/sign-in?then=/environments/production/audit")

    assert signed_in(client).headers["Location"] == "/environments/production/audit"
    assert signed_in(client).headers["Location"] == "/"


def test_what_is_asked_for_carries_a_challenge_and_nothing_secret(client, provider) -> None:
    asked = parse_qs(urlsplit(left(client)).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"http://localhost{BACK}"]
    assert asked["scope"] == ["openid email"]
    assert "code_verifier" not in asked
    assert SECRET not in str(asked)
    assert left(client) != left(client)


def test_the_session_that_the_browser_had_ends(client, store, ann) -> None:
    old = use_link(store, create_link(store, ann.email, a_cause()), NOW).secret
    client.set_cookie(COOKIE, old)

    signed_in(client)

    assert session_of(store, old, NOW) is None
    assert session_of(store, client.get_cookie(COOKIE).value, NOW).email == ann.email


def test_an_answer_counts_once(client, ann) -> None:
    back = came(client)
    client.get(back)
    client.delete_cookie(COOKIE)

    assert_refused(client, client.get(back), "start again here")


@pytest.mark.parametrize("state", ["", "invented", "ü"])
def test_a_wrong_state_is_refused_before_the_provider_is_asked(client, provider, ann, state) -> None:
    code = parse_qs(urlsplit(came(client)).query)["code"][0]
    provider.asked.clear()

    answer = client.get(BACK, query_string={"code": code, "state": state})

    assert_refused(client, answer, "This browser did not start that sign-in")
    assert provider.asked == []


def test_an_answer_that_another_browser_asked_for_is_refused(app, client, ann) -> None:
    other = app.test_client()

    assert_refused(other, other.get(came(client)), "This browser did not start that sign-in")


def test_an_answer_that_took_too_long_is_refused(client, clock, ann) -> None:
    back = came(client)
    clock.go_on(timedelta(minutes=11))

    assert_refused(client, client.get(back), "it took too long: start again here")


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://id.example.com"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"exp": int(NOW.timestamp()) - 61},
        {"exp": None},
        {"iat": int(NOW.timestamp()) + 3600},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_signs_nobody_in(client, provider, ann, state, lies) -> None:
    provider.lies = lies
    before = state()

    assert_refused(client, signed_in(client), "its ID token was refused: try again", 502)
    assert state() == before


def test_a_token_that_somebody_else_signed_signs_nobody_in(client, provider, ann) -> None:
    kid = provider.key.kid
    provider.key = RSAKey.generate_key(2048, {"kid": kid})

    assert_refused(client, signed_in(client), "its ID token was refused", 502)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_private_key_behind_it_signs_nobody_in(client, provider, ann, algorithm) -> None:
    """The public key is known to everybody: it must not pass for a shared secret."""
    honest = provider.id_token

    def forged(nonce: str) -> str:
        body = honest(nonce).split(".")[1]
        head = _encoded(json.dumps({"alg": algorithm, "kid": provider.key.kid}).encode())
        mac = hmac.digest(provider.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
        return f"{head}.{body}.{_encoded(mac) if algorithm == 'HS256' else ''}"

    provider.id_token = forged

    assert_refused(client, signed_in(client), "its ID token was refused", 502)
    assert len(provider.tokens) == 1


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_keys_may_change_between_two_sign_ins_and_in_the_middle_of_one(client, provider, ann) -> None:
    assert signed_in(client).status_code == 303
    provider.turn_keys()
    assert signed_in(client).status_code == 303

    back = came(client)
    provider.turn_keys()
    assert client.get(back).status_code == 303


def test_another_issuer_s_discovery_document_is_refused(client, provider) -> None:
    provider.discovery_lies = {"issuer": provider.issuer + "/"}

    assert_refused(client, client.get("/sign-in/openid"), "is another issuer's: try again", 502)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://id.example.org/x", None, "javascript:alert(1)"])
def test_an_address_that_others_could_listen_to_is_not_used(client, provider, name, address) -> None:
    provider.discovery_lies = {name: address}

    assert_refused(client, client.get("/sign-in/openid"), "is of no use: try again", 502)


def test_an_answer_of_another_issuer_is_refused(client, provider, ann) -> None:
    answer = client.get(came(client) + "&iss=https://id.example.com")

    assert_refused(client, answer, "from another provider: start again here")


def test_who_says_no_at_the_provider_is_told_what_to_do(client, ann) -> None:
    state = parse_qs(urlsplit(left(client)).query)["state"][0]

    answer = client.get(BACK, query_string={"error": "access_denied", "state": state})

    assert_refused(client, answer, "Example ID did not sign you in: start again here")


def test_a_provider_that_is_down_is_told_as_such(client, provider) -> None:
    provider.close()

    assert_refused(client, client.get("/sign-in/openid"), "it does not answer: try again", 502)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_nobody_verified_is_nobody_s(client, provider, ann, verified) -> None:
    provider.person["email_verified"] = verified

    assert_refused(client, signed_in(client), "has not verified your e-mail address: verify it there")


@pytest.mark.parametrize("email", [None, "", "no address"])
def test_a_provider_that_tells_no_address_signs_nobody_in(client, provider, ann, email) -> None:
    provider.person["email"] = email

    assert_refused(client, signed_in(client), "did not tell your e-mail address: allow it there")


@pytest.mark.parametrize("email", ["eve@example.com", "eve@mail.example.org", "eve@example.org.evil.net"])
def test_a_foreign_domain_is_refused_even_to_somebody_known(client, store, provider, email) -> None:
    add_person(store, email, Role.ADMIN, a_cause())
    provider.person["email"] = email

    assert_refused(client, signed_in(client), "is not let in here: use your organisation's account")


def test_somebody_unknown_must_have_been_added(client, store, state) -> None:
    before = state()

    assert_refused(client, signed_in(client), "Nobody here has the address ann@example.org: ask an administrator")
    assert (state(), list_people(store)) == (before, [])


def test_somebody_unknown_gets_the_role_of_the_settings_where_there_is_one(store, settings, clock) -> None:
    welcoming = settings.model_copy(update={"oidc_default_role": Role.VIEWER})
    client = create_app(store, welcoming, clock).test_client()

    answer = signed_in(client)
    actions = [each.action for each in list_entries(store, "production", Filter()).items]

    assert answer.status_code == 303
    assert find_person(store, "ann@example.org").roles == {"*": Role.VIEWER}
    assert actions[:2] == ["person:add", "person:sign_in"]


def test_tries_in_vain_make_the_next_one_wait_and_a_good_one_forgives(client, provider, clock, ann) -> None:
    provider.lies = {"nonce": "another"}
    assert [signed_in(client).status_code for _ in range(5)] == [502] * 5
    provider.asked.clear()

    waiting = signed_in(client)
    assert waiting.status_code == 429
    assert int(waiting.headers["Retry-After"]) >= 1
    assert "/token" not in provider.asked

    provider.lies = {}
    clock.go_on(timedelta(seconds=2))
    assert [signed_in(client).status_code for _ in range(7)] == [303] * 7


def test_nothing_secret_reaches_a_log_or_a_page(client, provider, ann, caplog) -> None:
    caplog.set_level(logging.INFO)
    provider.lies = {"nonce": "another"}
    back = came(client)
    secret = {SECRET, parse_qs(urlsplit(back).query)["code"][0]}
    refused = client.get(back)
    provider.lies = {}
    good = signed_in(client)
    secret |= {*provider.tokens, secret_of(good)} - {""}

    assert "InvalidClaimError nonce" in caplog.text
    assert len(secret) == 5
    assert [each for each in secret if each in caplog.text or each in refused.text] == []
