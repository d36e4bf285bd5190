"""What every browser test may ask for: a page in a profile of its own."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.infrastructure.chromium import Chromium, ChromiumUnavailableError, find_chromium, launched

PATIENCE_MS = 20_000
WITHOUT_BROWSER = os.environ.pop("THROWBAR_TEST_WITHOUT_BROWSER", "") == "1" and os.environ.get("CI") != "true"


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find_chromium()
    except ChromiumUnavailableError as error:
        if WITHOUT_BROWSER:
            pytest.skip("THROWBAR_TEST_WITHOUT_BROWSER=1")
        pytest.fail(str(error), pytrace=False)


# One for each file and not for the whole run: while Playwright's synchronous driver is open, it occupies the
# thread's event loop, and every later test that calls asyncio.run would fail.
@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies or storage; a script error on it fails the test."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
