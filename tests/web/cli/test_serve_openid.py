"""Does a real server sign somebody in by OpenID Connect, and find its own address behind a proxy?"""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases.people import add_person
from controlplane.usecases.starting import prepare
from tests.builders import a_cause
from tests.infrastructure.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.infrastructure.server_process import PATIENCE, ServerProcess

HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def provider():
    started = OpenIdProvider(utc_now)
    yield started
    started.close()


@pytest.fixture
def serving(tmp_path, sqlite_url, provider):
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    return lambda: ServerProcess(tmp_path, sqlite_url, "--port", "0", "--no-scheduler", **given)


def redirect_uri(server) -> str:
    sent = httpx.get(f"http://127.0.0.1:{server.port}/sign-in/openid", headers=HTTPS, timeout=PATIENCE)
    return parse_qs(urlsplit(sent.headers["Location"]).query)["redirect_uri"][0]


def test_a_browser_goes_there_and_back_and_is_signed_in(sqlite_url, serving, provider) -> None:
    with open_store(sqlite_url) as store:
        prepare(store, Settings(database_url=sqlite_url), utc_now())
        add_person(store, "ann@example.org", Role.VIEWER, a_cause())

    with serving() as server, httpx.Client(follow_redirects=True, timeout=PATIENCE) as browser:
        server.until_ready()
        page = browser.get(f"http://127.0.0.1:{server.port}/sign-in/openid")

        assert (page.status_code, page.url.path) == (200, "/environments/production/flags")
        assert "ann@example.org" in page.text
        assert [each for each in (SECRET, *provider.tokens) if each in server.output + server.complaints] == []


@pytest.mark.parametrize(("proxies", "scheme"), [("127.0.0.1", "https"), ("192.0.2.1", "http"), (None, "https")])
def test_a_proxy_is_believed_where_it_is_named(serving, monkeypatch, proxies, scheme) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if proxies:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)

    with serving() as server:
        server.until_ready()

        assert redirect_uri(server) == f"{scheme}://127.0.0.1:{server.port}/sign-in/openid/back"
