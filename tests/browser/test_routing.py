"""What is set on a flag's page reaches a service over HTTP, and what comes of it there is seen on the page."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

import throwbar
from controlplane.clock import utc_now
from controlplane.domain.access import TokenKind, TokenRequest
from controlplane.usecases import flags
from controlplane.usecases.tokens import create_token
from tests.browser.serving import Server, serving
from tests.builders import a_cause

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
SERVICE = "bridge-api"
PATIENCE = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


class Service:
    """A process that embeds the SDK, with a flag of its own whose calls all go to the candidate.

    `trouble` is what the candidate raises next, until it is taken away; `called` counts what reached which side.
    """

    def __init__(self, server: Server, key: str, token: str) -> None:
        document = {"key": key, "baseline": "old_pool", "candidate": "new_pool", "enabled": True}
        operations = {"echo": {"percent": 100}, "pay": {"percent": 100}}
        flags.create_flag(server.store, "production", {**document, "operations": operations}, a_cause(utc_now()))
        self.address = f"{server.url}/environments/production/flags/{key}"
        self.trouble: Exception | None = None
        self.called: Counter[str] = Counter()
        self.client = throwbar.Client(
            server.url, token, service=SERVICE, poll_interval=0.2, report_interval=0.2, backup_file=False
        )
        migration = self.client.migration(key, baseline="old_pool")
        self.echo = self._routed(migration, "echo", throwbar.READ)
        self.pay = self._routed(migration, "pay", throwbar.WRITE)
        assert self.client.wait_ready(PATIENCE)
        self.decide: Callable[[], throwbar.Decision] = lambda: migration.decide("echo", key="s-1")

    def _routed(self, migration: throwbar.Migration, name: str, kind: throwbar.kinds.Kind) -> Callable[[], str]:
        return migration.route(name, candidate=self._candidate, kind=kind, key=lambda: "s-1")(self._baseline)

    def _baseline(self) -> str:
        self.called["old"] += 1
        return "old"

    def _candidate(self) -> str:
        self.called["new"] += 1
        if self.trouble is not None:
            raise self.trouble
        return "new"

    def counted(self, call: Callable[[], Any]) -> Counter[str]:
        """What one call reaches."""
        self.called.clear()
        call()
        return self.called


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """One that the server has heard of: it was made beside it, and a refused client waits a minute."""
    _, secret = create_token(server.store, TokenRequest(TokenKind.SDK, SERVICE), a_cause(utc_now()))
    asked = Request(f"{server.url}/sdk/v1/snapshot", headers={"Authorization": f"Bearer {secret}"})
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(asked, timeout=PATIENCE).close()
        except HTTPError:
            assert time.monotonic() < end, "the token was never accepted"
            time.sleep(0.05)
        else:
            return secret


@pytest.fixture
def service(request: pytest.FixtureRequest, server: Server, token: str) -> Iterator[Service]:
    key = re.sub(r"\W+|_", "-", request.node.name)[5:60].strip("-")
    service = Service(server, key, token)
    yield service
    service.client.close()


@pytest.fixture
def routing(page: Page, server: Server, service: Service) -> Locator:
    """The panel of the service's flag, in the browser of an administrator."""
    page.goto(server.link())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/first-password|/flags"))
    page.goto(service.address)
    return page.locator("#routing")


def route(routing: Locator, operation: str, **wanted: str) -> None:
    """Fill in the form of an operation and send it."""
    sheet = routing.locator(f"#route-{operation}")
    sheet.locator("summary").click()
    for label, value in wanted.items():
        field = sheet.locator(f"#{label}-{operation}")
        field.fill(value) if field.get_attribute("type") == "number" else field.select_option(value)
    sheet.get_by_label("Reason").fill("we want to see it")
    sheet.get_by_role("button", name="Set").click()
    expect(routing.page.locator("#notice")).to_contain_text(f"{operation} is routed so.")


def until(service: Service, sees: Callable[[], object]) -> None:
    """The service hears of a change with its next poll."""
    end = time.monotonic() + PATIENCE
    while not sees():
        assert time.monotonic() < end, "the service never obeyed"
        service.client.flush(0.1)


def of(routing: Locator, operation: str) -> Locator:
    """The part of the panel that is about one operation."""
    return routing.locator(".routed").filter(has=routing.page.get_by_role("heading", name=operation, exact=True))


def test_a_breaker_that_is_forced_on_the_page_holds_calls_back_until_it_is_let_go(
    routing: Locator, service: Service
) -> None:
    expect(of(routing, "echo")).to_contain_text("Closed everywhere")
    assert service.counted(service.echo) == {"new": 1}

    route(routing, "echo", breaker="forced_open")
    until(service, lambda: service.decide().reason == "circuit_open")
    assert service.counted(service.echo) == {"old": 1}

    echo = of(routing, "echo")
    expect(echo).to_contain_text(re.compile(r"Forced open in 1 of \d"))
    expect(echo).to_contain_text(f"{service.client.status().instance} {SERVICE}")
    expect(echo).to_contain_text(re.compile(r"held back by a breaker\s*1"))
    expect(of(routing, "pay")).to_contain_text("Closed everywhere")

    route(routing, "echo", breaker="")
    until(service, lambda: service.decide().candidate)
    assert service.counted(service.echo) == {"new": 1}
    expect(echo).to_contain_text("Closed everywhere")


def test_attempts_that_are_set_on_the_page_are_made_and_rescues_and_the_open_breaker_are_seen(
    routing: Locator, service: Service
) -> None:
    service.trouble = ConnectionRefusedError("the pool is down")
    assert service.counted(service.echo) == {"new": 3, "old": 1}

    route(routing, "echo", attempts="2")
    until(service, lambda: service.counted(service.echo) == {"new": 2, "old": 1} or service.decide().reason != "share")

    echo = of(routing, "echo")
    expect(echo).to_contain_text("at most 2 attempts")
    expect(echo).to_contain_text(re.compile(r"Open in 1 of \d"))  # five refused connections in a row
    expect(echo).to_contain_text(re.compile(r"retries\s*\d"))
    expect(echo).to_contain_text(re.compile(r"rescued by the baseline\s*\d"))

    route(routing, "echo", attempts="", breaker="forced_closed")
    until(service, lambda: service.decide().candidate)
    assert service.counted(service.echo)["new"] >= 1
    expect(echo).not_to_contain_text("at most 2 attempts")


def test_pairs_of_a_shadow_that_is_set_on_the_page_are_compared_there(routing: Locator, service: Service) -> None:
    route(routing, "echo", mode="shadow", sample="100")
    until(service, lambda: service.echo() and service.called["old"])  # by the copy of an earlier call

    echo = of(routing, "echo")
    expect(echo).to_contain_text("shadow for 100 % of keys")
    expect(echo).to_contain_text(re.compile(r"[1-9]\d* of \d+ pairs differ"))
    echo.get_by_text("Where they differ").click()
    expect(echo.get_by_role("table")).to_contain_text("str of 3")

    known = service.decide().version
    route(routing, "echo", mode="single")
    until(service, lambda: service.decide().version > known)
    expect(of(routing, "echo")).to_contain_text("single")


def test_writes_of_unknown_outcome_are_seen_on_the_page(routing: Locator, service: Service) -> None:
    service.trouble = ConnectionResetError("hung up")
    for _ in range(3):
        with pytest.raises(throwbar.OutcomeUnknown):
            service.pay()

    expect(of(routing, "pay")).to_contain_text(re.compile(r"writes of unknown outcome\s*3"))
