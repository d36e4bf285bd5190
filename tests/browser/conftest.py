"""What every browser test may ask for: one server and one browser for all of them, and a page in a profile of its own."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState

from controlplane.clock import utc_now
from controlplane.usecases import flags, freezes, rollouts, webhooks
from controlplane.usecases.changing import Place
from tests.browser.people import a_flag, enter, watched
from tests.browser.serving import Server, serving
from tests.builders import (
    a_cause,
    a_data_flag_document,
    a_data_plan_document,
    a_feature_document,
    a_moved_feature_document,
)
from tests.infrastructure.chromium import Chromium, ChromiumUnavailableError, find_chromium, launched

WITHOUT_BROWSER = os.environ.pop("THROWBAR_TEST_WITHOUT_BROWSER", "") == "1" and os.environ.get("CI") != "true"


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find_chromium()
    except ChromiumUnavailableError as error:
        if WITHOUT_BROWSER:
            pytest.skip("THROWBAR_TEST_WITHOUT_BROWSER=1")
        pytest.fail(str(error), pytrace=False)


# For these tests and not for the whole run: while Playwright's synchronous driver is open, it occupies the thread's
# event loop, and every later test that calls asyncio.run would fail.
@pytest.fixture(scope="package")
def browser(chromium: Chromium) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each test makes flags, people and environments of its own in it."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        first = server.webhook("the first one")  # the one that stands for its page: see `pages`
        webhooks.send_test(server.store, first.id, a_cause(utc_now()))
        yield server


@pytest.fixture(scope="package")
def signed_in(browser: Browser, server: Server) -> StorageState:
    """What the browser of an administrator keeps once she is in. Her sessions must not be ended: see `people`."""
    with watched(browser) as page:
        return enter(page, server).context.storage_state()


@pytest.fixture(scope="package")
def furnished(server: Server) -> Server:
    """With something on each of its pages."""
    a_flag(server, "dspex-bridge")
    for feature in (a_feature_document(), a_moved_feature_document(key="search-v2")):
        flags.create_flag(server.store, "production", feature, a_cause(utc_now()))
    span = {"starts_at": "2099-12-20T00:00:00Z", "ends_at": "2099-12-27T00:00:00Z"}
    freezes.add_freeze(server.store, "production", {"name": "Christmas", **span}, a_cause(utc_now()))
    data = a_data_flag_document(key="orders", guardrails=None, plan=a_data_plan_document(604_800))
    flags.create_flag(server.store, "production", data, a_cause(utc_now()))
    rollouts.start(server.store, Place("production", "orders"), a_cause(utc_now()))
    return server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies or storage; a script error on it fails the test."""
    with watched(browser) as page:
        yield page


@pytest.fixture
def ann(browser: Browser, signed_in: StorageState) -> Iterator[Page]:
    """An administrator's page, signed in."""
    with watched(browser, storage_state=signed_in) as page:
        yield page


@pytest.fixture
def plain(browser: Browser, signed_in: StorageState) -> Iterator[Page]:
    """The same person in a browser without JavaScript."""
    with watched(browser, storage_state=signed_in, java_script_enabled=False) as page:
        yield page
