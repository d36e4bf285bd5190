"""Real calls through the SDK, a real scheduler with a fast clock, and a page that is open meanwhile."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from controlplane.clock import utc_now
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment
from tests.browser.people import a_flag
from tests.browser.services import Service, sdk_token, service
from tests.browser.serving import Server
from tests.builders import a_cause, a_plan_document

pytestmark = pytest.mark.browser
HERE = "live"  # of its own: how many instances obey is counted here
ALL = {"echo": {"percent": 100}, "pay": {"percent": 100}}


@pytest.fixture(scope="package")
def token(server: Server) -> str:
    create_environment(server.store, HERE, a_cause(utc_now()))
    return sdk_token(server, HERE)


@pytest.fixture
def ramping(server: Server, request: pytest.FixtureRequest) -> Place:
    """A flag whose rollout is at half."""
    place = Place(HERE, f"ramping-{request.node.callspec.id.replace(' ', '-')}")
    a_flag(server, place.flag, HERE, plan=a_plan_document(50, 98), operations={"echo": {"percent": 0}})
    rollouts.start(server.store, place, a_cause(utc_now()))
    return place


@pytest.fixture
def busy(server: Server, token: str, ramping: Place) -> Iterator[Service]:
    """A service whose calls reach both backends all the time."""
    with service(server, ramping.flag, token) as made, made.busy():
        made.until(lambda: made.called["new"] > 50)
        yield made


@pytest.mark.parametrize("news", ["by the stream", "by asking"])
def test_a_rollback_that_failing_calls_bring_about_is_seen_without_reload(
    ann: Page, server: Server, ramping: Place, busy: Service, news: str
) -> None:
    by_stream = news == "by the stream"
    asked: list[str] = []
    answered: list[str] = []
    ann.on("request", lambda request: asked.append(request.url.partition("?")[0]))
    ann.on("requestfinished", lambda request: answered.append(request.url.partition("?")[0]))
    ann.clock.install()
    if not by_stream:
        ann.route("**/stream", lambda route: route.abort())
    ann.goto(f"{server.url}/environments/{HERE}/flags/{ramping.flag}")
    expect(ann.locator("html")).to_have_attribute("data-stream", "open" if by_stream else "closed")
    expect(ann.locator("#rollout")).to_contain_text("running")
    ann.evaluate("window.sameDocument = true")
    if by_stream:  # no timer of the page fires any more: whatever it asks from here on, the stream told it to
        ann.clock.pause_at(utc_now() + timedelta(seconds=5))
    asked.clear()

    busy.trouble = RuntimeError("the new pool lost its model")

    banner = ann.locator("#banner")
    expect(banner).to_contain_text(re.compile(r"Rolled back automatically at \d\d:\d\d:\d\d UTC"))
    expect(ann.locator("#state .sentence")).to_contain_text("every call goes to python_pool_v2")
    assert ann.evaluate("window.sameDocument") is True
    assert f"{server.url}/environments/{HERE}/flags/{ramping.flag}/live" in asked
    streamed = [url for url in answered if url.endswith("/stream")]
    assert streamed == []  # either it was never let through, or it is still open
    busy.until(lambda: busy.decide().reason == "rolled_back")


def test_a_breaker_is_told_of_the_instance_in_which_it_opened(ann: Page, server: Server, token: str) -> None:
    address = a_flag(server, "two-breakers", HERE, guardrails=None, plan=None, operations=ALL)
    ann.route("**/stream", lambda route: route.abort())  # telemetry is looked for more often where no stream speaks
    with service(server, "two-breakers", token) as well, service(server, "two-breakers", token) as ill:
        ann.goto(address)
        ill.trouble = ConnectionRefusedError("the pool is down")
        for _ in range(3):  # three attempts each: five refused connections in a row open it
            assert {well.echo(), ill.echo()} == {"new", "old"}

        echo = ann.locator(".routed").filter(has=ann.get_by_role("heading", name="echo", exact=True))
        expect(echo).to_contain_text(re.compile(r"Open in 1 of \d"))
        expect(echo.locator(".told")).to_contain_text(ill.instance)
        expect(echo.locator(".told")).not_to_contain_text(well.instance)


def test_the_page_tells_when_a_flip_has_landed_everywhere(ann: Page, server: Server) -> None:
    create_environment(server.store, "landing", a_cause(utc_now()))
    token = sdk_token(server, "landing")
    address = a_flag(server, "flips", "landing", guardrails=None, plan=None, operations=ALL)
    with service(server, "flips", token), service(server, "flips", token, interval=3600) as slow:
        slow.echo()
        slow.client.flush(60)
        ann.goto(address)
        landed = ann.locator("#convergence")
        expect(landed).to_contain_text("Landed")

        flags.disable_flag(server.store, Place("landing", "flips"), a_cause(utc_now()))
        expect(landed).to_contain_text("Not yet")
        expect(landed).to_contain_text(f"Behind: {slow.instance}")
        assert slow.decide().candidate

        slow.echo()
        slow.until(lambda: slow.echo() == "old")
        slow.client.flush(60)
        expect(landed).to_contain_text("Landed")


def test_the_instances_and_a_backtest_tell_of_the_calls_that_were_made(ann: Page, server: Server, token: str) -> None:
    place = Place(HERE, "told-afterwards")
    # A breaker that opens takes the candidate back before anything is judged, and then there is nothing to try others on.
    operations = {"echo": {"percent": 0, "breaker": {"mode": "forced_closed"}}}
    a_flag(server, place.flag, HERE, plan=a_plan_document(50, 98), operations=operations)
    rollouts.start(server.store, place, a_cause(utc_now()))
    with service(server, place.flag, token) as made:
        with made.busy():
            made.until(lambda: made.called["new"] > 50)
            made.trouble = RuntimeError("the new pool lost its model")
            made.until(lambda: made.decide().reason == "rolled_back")
        ann.goto(f"{server.url}/environments/{HERE}/instances")
        expect(ann.get_by_role("row", name=made.instance)).to_contain_text("Current")

    ann.goto(f"{server.url}/environments/{HERE}/flags/{place.flag}")
    ann.get_by_role("link", name="Try others on what was measured").click()
    ann.get_by_role("button", name="Try them").click()
    expect(ann.locator("#timeline")).to_contain_text("Would have rolled back at")
