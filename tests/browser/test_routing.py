"""What is set on a flag's page reaches a service over HTTP, and what comes of it there is seen on the page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

import throwbar
from controlplane.clock import utc_now
from controlplane.usecases import flags
from tests.browser.services import SERVICE, Service, sdk_token
from tests.browser.services import service as serving_calls
from tests.browser.serving import Server
from tests.builders import a_cause

pytestmark = pytest.mark.browser


@pytest.fixture(scope="package")
def token(server: Server) -> str:
    return sdk_token(server)


@pytest.fixture
def key(request: pytest.FixtureRequest, server: Server) -> str:
    """A flag whose calls all go to the candidate, and that nothing judges."""
    key = re.sub(r"\W+|_", "-", request.node.name)[5:60].strip("-")
    document = {"key": key, "baseline": "old_pool", "candidate": "new_pool", "enabled": True}
    operations = {"echo": {"percent": 100}, "pay": {"percent": 100}}
    flags.create_flag(server.store, "production", {**document, "operations": operations}, a_cause(utc_now()))
    return key


@pytest.fixture
def service(server: Server, key: str, token: str) -> Iterator[Service]:
    with serving_calls(server, key, token) as service:
        yield service


@pytest.fixture
def routing(ann: Page, server: Server, service: Service, key: str) -> Locator:
    """The panel of the service's flag, in the browser of an administrator."""
    ann.goto(f"{server.url}/environments/production/flags/{key}")
    return ann.locator("#routing")


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


def of(routing: Locator, operation: str) -> Locator:
    """The part of the panel that is about one operation."""
    return routing.locator(".routed").filter(has=routing.page.get_by_role("heading", name=operation, exact=True))


def test_a_breaker_that_is_forced_on_the_page_holds_calls_back_until_it_is_let_go(
    routing: Locator, service: Service
) -> None:
    expect(of(routing, "echo")).to_contain_text("Closed everywhere")
    assert service.counted(service.echo) == {"new": 1}

    route(routing, "echo", breaker="forced_open")
    service.until(lambda: service.decide().reason == "circuit_open")
    assert service.counted(service.echo) == {"old": 1}

    echo = of(routing, "echo")
    expect(echo).to_contain_text(re.compile(r"Forced open in 1 of \d"))
    expect(echo).to_contain_text(f"{service.instance} {SERVICE}")
    expect(echo).to_contain_text(re.compile(r"held back by a breaker\s*1"))
    expect(of(routing, "pay")).to_contain_text("Closed everywhere")

    route(routing, "echo", breaker="")
    service.until(lambda: service.decide().candidate)
    assert service.counted(service.echo) == {"new": 1}
    expect(echo).to_contain_text("Closed everywhere")


def test_attempts_that_are_set_on_the_page_are_made_and_rescues_and_the_open_breaker_are_seen(
    routing: Locator, service: Service
) -> None:
    service.trouble = ConnectionRefusedError("the pool is down")
    assert service.counted(service.echo) == {"new": 3, "old": 1}

    route(routing, "echo", attempts="2")
    service.until(lambda: service.counted(service.echo) == {"new": 2, "old": 1} or service.decide().reason != "share")

    echo = of(routing, "echo")
    expect(echo).to_contain_text("at most 2 attempts")
    expect(echo).to_contain_text(re.compile(r"Open in 1 of \d"))  # five refused connections in a row
    expect(echo).to_contain_text(re.compile(r"retries\s*\d"))
    expect(echo).to_contain_text(re.compile(r"rescued by the baseline\s*\d"))

    route(routing, "echo", attempts="", breaker="forced_closed")
    service.until(lambda: service.decide().candidate)
    assert service.counted(service.echo)["new"] >= 1
    expect(echo).not_to_contain_text("at most 2 attempts")


def test_pairs_of_a_shadow_that_is_set_on_the_page_are_compared_there(routing: Locator, service: Service) -> None:
    route(routing, "echo", mode="shadow", sample="100")
    service.until(lambda: service.echo() and service.called["old"])  # by the copy of an earlier call

    echo = of(routing, "echo")
    expect(echo).to_contain_text("shadow for 100 % of keys")
    expect(echo).to_contain_text(re.compile(r"[1-9]\d* of \d+ pairs differ"))
    echo.get_by_text("Where they differ").click()
    expect(echo.get_by_role("table")).to_contain_text("str of 3")

    known = service.decide().version
    route(routing, "echo", mode="single")
    service.until(lambda: service.decide().version > known)
    expect(of(routing, "echo")).to_contain_text("single")


def test_writes_of_unknown_outcome_are_seen_on_the_page(routing: Locator, service: Service) -> None:
    service.trouble = ConnectionResetError("hung up")
    for _ in range(3):
        with pytest.raises(throwbar.OutcomeUnknown):
            service.pay()

    expect(of(routing, "pay")).to_contain_text(re.compile(r"writes of unknown outcome\s*3"))
