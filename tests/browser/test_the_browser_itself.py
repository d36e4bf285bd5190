"""Is the browser of the tests a real one?"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.people import watched
from tests.browser.serving import Server
from tests.infrastructure.chromium import ChromiumUnavailableError, find_chromium

COUNTER = """
<title>Counter</title>
<button onclick="this.textContent = Number(this.textContent) + 1">41</button>
"""

pytestmark = pytest.mark.browser


def test_a_page_loads_and_a_click_runs_its_script(page: Page) -> None:
    page.goto("data:text/html," + COUNTER)

    page.get_by_role("button").click()

    assert page.title() == "Counter"
    assert page.get_by_role("button").inner_text() == "42"


@pytest.mark.parametrize("_", range(2))
def test_each_test_starts_with_an_empty_profile(page: Page, _: int, closed_door: str) -> None:
    page.route(closed_door, lambda route: route.fulfill(body="<title>here</title>"))
    page.goto(closed_door)

    before = page.evaluate("localStorage.getItem('seen')")
    page.evaluate("localStorage.setItem('seen', 'yes')")

    assert before is None


def test_a_page_may_be_left_while_the_test_is_answering_its_questions(browser: Browser, server: Server) -> None:
    def passed_on(route: Route) -> None:
        route.fulfill(response=route.fetch())

    for _ in range(3):
        with watched(browser) as page:
            page.goto(f"{server.url}/sign-in")
            page.route("**/healthz?*", passed_on)
            page.evaluate("() => { for (let i = 0; i < 30; i++) fetch(`/healthz?${i}`) }")
    with watched(browser) as page:
        page.goto(f"{server.url}/sign-in")  # where what a handler complained of too late would come up


def test_a_wrong_setting_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))

    with pytest.raises(ChromiumUnavailableError, match="NO BROWSER FOR THE TESTS"):
        find_chromium()


@pytest.fixture
def closed_door() -> str:
    """An address that only the test itself answers."""
    return "http://127.0.0.1:9/"
