"""Can everybody use every page? The pages are those of the application's own routes, so that a new one is covered."""

import pytest
from playwright.sync_api import Browser, StorageState

from tests.browser.pages import every_page
from tests.browser.people import watched
from tests.browser.serving import Server
from tests.infrastructure.axe import axe_source

pytestmark = pytest.mark.browser

PAGES = (*every_page(), "/environments/production/flags/orders")  # a flag whose data move says more than others

LOOK = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  (each) => each.nodes.map((node) => `${each.id}: ${node.target.join(" ")} ${node.failureSummary}`))"""


# What still moves for somebody who wants no motion: longer than a hundredth of a second, or a smooth scroll.
MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) => [null, "::before", "::after"].map((part) => {
  const style = getComputedStyle(element, part);
  const spans = `${style.transitionDuration},${style.animationDuration}`.split(",").map(parseFloat);
  return Math.max(...spans) > 0.01 || style.scrollBehavior === "smooth" ? `${element.outerHTML.slice(0, 80)} ${part ?? ""}` : "";
})).filter(Boolean).concat(document.getAnimations().map((each) => `running: ${each.animationName ?? each.transitionProperty}`))"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_of_on_any_page(
    browser: Browser, furnished: Server, signed_in: StorageState, scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    # The page's own policy stays as strict as it is: only the examiner may come in beside it.
    wishes = {"color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}
    with watched(browser, storage_state=signed_in, **wishes) as page:
        for path in PAGES:
            page.goto(furnished.url + path)
            page.evaluate("for (const each of document.querySelectorAll('details.fold')) each.open = true")
            page.evaluate(axe_source())
            if complaints := page.evaluate(LOOK):
                found[path] = complaints

    assert found == {}


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_whoever_wants_no_motion_gets_none_on_any_page(
    browser: Browser, furnished: Server, signed_in: StorageState, wish: str
) -> None:
    moving: dict[str, list[str]] = {}
    with watched(browser, storage_state=signed_in, reduced_motion=wish) as page:
        for path in PAGES:
            page.goto(furnished.url + path)
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            if found := page.evaluate(MOVING):
                moving[path] = found

    assert (moving == {}) == (wish == "reduce")  # the others show that there is something to be seen
