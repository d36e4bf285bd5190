"""What takes its time says so: it is not pressed twice, it can be stopped, and the page is usable meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.people import a_flag
from tests.browser.serving import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="package")
def address(server: Server) -> str:
    return a_flag(server, "slowly")


@contextmanager
def slow(page: Page, pattern: str) -> Iterator[list[Route]]:
    """Requests of that address hang; whoever asked is answered at the end of the block."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))  # noqa: PLW0108 - Playwright writes into what it is given
    yield held
    for route in held:
        route.continue_()
    page.unroute(pattern)


# Everything is as it is while an answer takes long, but that nothing leaves the page: a test cannot look into one that
# is left. `sent` counts what would have gone out.
HANGING = """
window.sent = 0;
const hold = (event) => { sent += event.defaultPrevented ? 0 : 1; event.preventDefault(); };
addEventListener("click", (event) => { if (event.target.closest("a")) hold(event); });
addEventListener("submit", hold);
"""


LONG = {
    "verify": ("{here}/audit", "link", "Verify the chain", "Recomputing the hash"),
    "report": ("{flag}/criteria", "link", "Report to hand on", "Writing the report"),
    "criteria": ("{flag}", "link", "Success criteria", "Judging what was measured"),
    "finish line": ("{flag}", "link", "Finish line", "Looking for the last calls"),
    "stale flags": ("{here}/flags", "link", "Stale flags", "Looking at each flag"),
    "backtest": ("{flag}/backtest", "button", "Try them", "Going through what was measured"),
    "forecast": ("{flag}/edit", "button", "Look again", "Looking at the calls"),
    "save": ("{flag}/edit", "button", "Save", "Working"),
}


@pytest.mark.parametrize("action", LONG)
def test_what_takes_long_is_told_and_pressed_once(ann: Page, server: Server, address: str, action: str) -> None:
    where, role, name, told = LONG[action]
    ann.goto(where.format(here=f"{server.url}/environments/production", flag=address))
    ann.evaluate(HANGING)
    pressed = ann.get_by_role(role, name=name, exact=True).last

    pressed.click()
    expect(pressed).to_have_attribute("aria-busy", "true")
    expect(ann.locator("#working")).to_contain_text(told)
    pressed.click()
    assert ann.evaluate("sent") == 1
    ann.keyboard.press("?")  # the page goes on meanwhile
    expect(ann.get_by_role("dialog", name="Keys")).to_be_visible()
    ann.keyboard.press("Escape")

    ann.get_by_role("button", name="Stop").click()
    expect(pressed).not_to_have_attribute("aria-busy", "true")
    expect(ann.locator("#working")).to_be_hidden()
    pressed.click()
    assert ann.evaluate("sent") == 2


def test_a_change_that_hangs_is_sent_once(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "pressed-twice"))
    ann.locator("#disable summary").click()
    button = ann.get_by_role("button", name="Disable now")
    with slow(ann, "**/disable") as held:
        button.click()
        expect(button).to_have_attribute("aria-busy", "true")
        button.click()
        expect(ann.locator("#working")).to_contain_text("Working")
        assert len(held) == 1

    expect(ann.locator("#notice")).to_contain_text("Disabled")
    expect(ann.locator("#working")).to_be_hidden()


@pytest.mark.parametrize("form", ["CSV", "JSON"])
def test_an_export_tells_how_far_it_is_and_leaves_the_page_alone(
    ann: Page, server: Server, address: str, form: str
) -> None:
    ann.goto(f"{server.url}/environments/production/audit")
    link = ann.get_by_role("link", name=form)
    with ann.expect_download() as saved, slow(ann, "**/audit/export*"):
        link.click()
        expect(link).to_have_attribute("aria-busy", "true")
        expect(ann.locator("#working")).to_contain_text("Exporting…")

    assert saved.value.suggested_filename == f"audit-production.{form.lower()}"
    assert "slowly" in saved.value.path().read_text()
    expect(link).not_to_have_attribute("aria-busy", "true")
