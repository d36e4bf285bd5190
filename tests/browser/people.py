"""People at a browser: their pages, and how they come in."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.usecases import flags
from tests.browser.serving import ANN, Server
from tests.builders import a_cause, a_flag_document

PATIENCE_MS = 60_000  # a busy machine is no failure; what never comes is one a little later
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a profile of its own; a script error on it fails the test."""
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE_MS)
        errors: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        page.unroute_all(behavior="ignoreErrors")  # a poll may be in a test's hands when the test is done
    assert errors == [], "\n".join(errors)


def until(page: Page, seen: Callable[[], object]) -> None:
    """Until the test has seen something of the page, or it ends by its time."""
    while not seen():
        page.wait_for_timeout(5)


def enter(page: Page, server: Server, email: str = ANN, role: Role = Role.ADMIN) -> Page:
    """By a link, as somebody whose sessions no other test ends."""
    page.goto(server.link(email, role))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/first-password|/flags|/$"))
    return page


def a_flag(server: Server, key: str, environment: str = "production", **changes: object) -> str:
    """A flag of its own for a test; its address."""
    flags.create_flag(server.store, environment, a_flag_document(key=key, **changes), a_cause(utc_now()))
    return f"{server.url}/environments/{environment}/flags/{key}"
