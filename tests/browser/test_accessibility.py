"""Can everybody use every page? The pages are those of the application's own routes, so that a new one is covered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from controlplane.clock import utc_now
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases import flags, freezes
from tests.browser.serving import Server, serving
from tests.builders import a_cause, a_flag_document
from tests.infrastructure.axe import axe_source
from web.access import UI
from web.app import create_app

pytestmark = pytest.mark.browser

ARGUMENTS = {
    "environment": "production",
    "flag": "dspex-bridge",
    "operation": "echo",
    "entry": 1,
    "secret": "tb_link_x",
}
# Not pages: files, data for scripts, parts of pages, and what only goes elsewhere.
NO_PAGES = {
    "static": "files",
    "ui.flags.home": "a redirect",
    "ui.openid.leave": "a redirect to the provider",
    "ui.openid.come_back": "a redirect from it",
    "ui.flags.series": "JSON",
    "ui.flags.live": "parts",
    "ui.flags.summaries": "parts",
    "ui.previews.percent": "a part",
    "ui.start.heard": "a part",
    "ui.history.export": "a file",
}
LOOK = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  (each) => each.nodes.map((node) => `${each.id}: ${node.target.join(" ")} ${node.failureSummary}`))"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("seen")) as server:
        now = utc_now()
        flags.create_flag(server.store, "production", a_flag_document(), a_cause(now))
        span = {"starts_at": "2099-12-20T00:00:00Z", "ends_at": "2099-12-27T00:00:00Z"}
        freezes.add_freeze(server.store, "production", {"name": "Christmas", **span}, a_cause(now))
        yield server


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The address of every page that can be opened."""
    path: Path = tmp_path_factory.mktemp("routes") / "throwbar.db"
    with open_store(f"sqlite:///{path}") as store:
        app: Flask = create_app(store, Settings(database_url=f"sqlite:///{path}"))
        with app.test_request_context():
            opened = [
                rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint in UI
            ]
            built = [
                rule.build({name: ARGUMENTS[name] for name in rule.arguments})
                for rule in opened
                if rule.endpoint not in NO_PAGES
            ]
    return sorted(str(path) for _, path in filter(None, built))


def entered(page: Page, server: Server) -> Page:
    page.goto(server.link())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/first-password|/flags"))
    return page


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_of_on_any_page(
    browser: Browser, server: Server, pages: list[str], scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    # The page's own policy stays as strict as it is: only the examiner may come in beside it.
    with browser.new_context(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True) as context:
        page = entered(context.new_page(), server)
        for path in pages:
            page.goto(server.url + path)
            page.evaluate("for (const each of document.querySelectorAll('details.fold')) each.open = true")
            page.evaluate(axe_source())
            if complaints := page.evaluate(LOOK):
                found[path] = complaints

    assert found == {}


def test_whoever_wants_no_motion_gets_none(browser: Browser, server: Server) -> None:
    moving = "[...document.querySelectorAll('*')].filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0.01 || parseFloat(getComputedStyle(each).animationDuration) > 0.01).length"
    with browser.new_context(reduced_motion="reduce") as context:
        page = entered(context.new_page(), server)
        page.goto(f"{server.url}/environments/production/flags/dspex-bridge")

        assert page.evaluate(moving) == 0


def test_a_keyboard_reaches_the_brake_and_pulls_it(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        page = entered(context.new_page(), server)
        page.goto(f"{server.url}/environments/production/flags/dspex-bridge")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('#disable') !== null"):
                break
        page.keyboard.press("Enter")
        expect(page.locator("#disable").get_by_label("Reason")).to_be_focused()
        page.keyboard.type("by hand")
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_contain_text("Disabled")

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body")
