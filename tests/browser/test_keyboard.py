"""Can everything be done by keys alone, and does everybody see where the keyboard stands?"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from controlplane.clock import utc_now
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment
from controlplane.usecases.history import Filter, list_entries
from tests.browser import keyboard
from tests.browser.doors import DOORS, HERE, owner, prepared
from tests.browser.pages import every_page, every_post
from tests.browser.people import a_flag, enter, until, watched
from tests.browser.serving import Server
from tests.builders import a_cause
from web.ui.verbs import VERBS

pytestmark = pytest.mark.browser
FOCUS_IS_SEEN = "document.activeElement !== document.body && isSeen(document.activeElement)"


@pytest.fixture(scope="package")
def keys(browser: Browser, server: Server, signed_in: StorageState) -> Iterator[Page]:
    """One page for all doors that leave its session alone."""
    for name in (HERE, "reasons"):
        create_environment(server.store, name, a_cause(utc_now()))
    with watched(browser, storage_state=signed_in) as page:
        page.add_init_script(keyboard.WATCH)
        yield page


@contextmanager
def at_a_page(keys: Page, browser: Browser, server: Server, name: str) -> Iterator[Page]:
    """Whoever is to open the door, before its page is opened."""
    if DOORS[name].who == "ann":
        yield keys
        return
    with watched(browser) as elsewhere, watched(browser) as page:
        page.add_init_script(keyboard.WATCH)
        if DOORS[name].who == "alone":
            enter(elsewhere, server, owner(name))
            enter(page, server, owner(name))
        yield page


def test_each_door_has_its_keys() -> None:
    assert every_post() == {name.partition("/")[0] for name in DOORS}, "tell in tests/browser/doors.py how it is opened"
    assert {name.partition("/")[2] for name in DOORS if "/" in name} == set(VERBS)


@pytest.mark.parametrize("name", DOORS)
def test_a_door_is_reached_and_opened_by_keys_alone(keys: Page, browser: Browser, server: Server, name: str) -> None:
    address, typed = prepared(server, name)
    with at_a_page(keys, browser, server, name) as page:
        page.goto(address)
        known = keyboard.doors(page)
        assert name in known, f"{name} is not on {address}: {sorted(known)}"

        answer = keyboard.open_door(page, known[name], typed)

        assert answer.status < 400, answer.text()
        if answer.request.headers.get("hx-request"):  # the part of the page that held the focus was replaced
            until(page, lambda: page.evaluate(FOCUS_IS_SEEN))


@pytest.mark.timeout(600)  # some 2 000 presses
def test_tab_reaches_everything_on_every_page_and_is_seen_wherever_it_is(keys: Page, furnished: Server) -> None:
    wrong = {}
    for path in every_page():
        keys.goto(furnished.url + path)
        if any((found := keyboard.walked(keys)).values()):
            wrong[path] = found

    assert wrong == {}


def test_whoever_skips_to_the_content_stands_there(ann: Page, server: Server) -> None:
    ann.goto(f"{server.url}/environments/production/flags")

    ann.keyboard.press("Tab")
    expect(ann.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    ann.keyboard.press("Enter")
    ann.keyboard.press("Tab")

    assert ann.evaluate("document.activeElement.closest('main') !== null")


def test_letters_go_to_places_and_the_list_of_keys_gives_the_focus_back(ann: Page, server: Server) -> None:
    a_flag(server, "by-letters")
    ann.goto(f"{server.url}/environments/production/flags?q=by-letters")

    ann.keyboard.press("j")
    expect(ann.locator("#flag-by-letters")).to_be_focused()
    ann.keyboard.press("?")
    expect(ann.get_by_role("dialog", name="Keys")).to_be_visible()
    ann.evaluate("found.outerHTML = found.outerHTML")  # as a poll does
    ann.keyboard.press("Escape")
    expect(ann.get_by_role("dialog", name="Keys")).to_be_hidden()
    expect(ann.locator("#flag-by-letters")).to_be_focused()
    ann.keyboard.press("Enter")
    expect(ann).to_have_url(f"{server.url}/environments/production/flags/by-letters")

    ann.wait_for_load_state()
    ann.clock.set_fixed_time(utc_now())  # "g" waits for its letter a moment only, which a busy machine may need
    for letter, place in (("a", "audit"), ("i", "instances"), ("c", "calendar"), ("f", "flags")):
        ann.keyboard.press("g")
        ann.keyboard.press(letter)
        expect(ann).to_have_url(f"{server.url}/environments/production/{place}")
        ann.wait_for_load_state()


def test_escape_closes_a_question_and_goes_back_to_where_it_was_asked(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "thought-better"))
    for name in ("#disable", "header details.where", "header .account details"):
        ann.locator(f"{name} summary").focus()
        ann.keyboard.press("Enter")
        expect(ann.locator(f"{name} .sheet")).to_be_visible()
        ann.keyboard.press("Tab")
        ann.keyboard.press("Escape")

        expect(ann.locator(f"{name} .sheet")).to_be_hidden()
        expect(ann.locator(f"{name} summary")).to_be_focused()


def test_the_focus_stays_where_it_is_while_the_page_turns_around_it(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "turning"))
    place = Place("production", "turning")
    for percent, focused in (
        (3, "#disable summary"),
        (4, "#operations tr:nth-child(2) button"),
        (5, "#history a >> nth=0"),
    ):
        stands = ann.locator(focused)
        stands.focus()
        flags.set_operation(server.store, place, "echo", {"percent": percent}, a_cause(utc_now()))
        expect(ann.locator("#state .sentence")).to_contain_text(re.compile(rf"{percent}.% of echo"))
        expect(ann.locator("#history")).to_contain_text(f"{percent} %")

        expect(stands).to_be_focused()


def test_a_question_in_the_list_stays_open_while_the_list_is_fresh(ann: Page, server: Server) -> None:
    create_environment(server.store, "asking", a_cause(utc_now()))
    stages = [{"percent": 10, "bake_seconds": 1, "approval": True}, {"percent": 98, "bake_seconds": 1}]
    a_flag(server, "waits", "asking", guardrails=None, plan={"stages": stages})
    rollouts.start(server.store, Place("asking", "waits"), a_cause(utc_now()))
    ann.goto(f"{server.url}/environments/asking/flags")
    ann.locator("#alarm-waits summary").focus()
    ann.keyboard.press("Enter")
    expect(ann.locator("#alarm-waits").get_by_label("Reason")).to_be_focused()
    ann.keyboard.type("all agr")

    a_flag(server, "new-meanwhile", "asking")
    for _ in range(2):
        ann.wait_for_event("response", lambda response: "hx-request" in response.request.headers)
    ann.keyboard.type("eed")
    ann.keyboard.press("Enter")

    expect(ann.locator("#notice")).to_contain_text("Approved.")
    told = list_entries(server.store, "asking", Filter(flag="waits", action="rollout:approve"), 1).items
    assert [each.reason for each in told] == ["all agreed"]


def begins(zoomed: Locator) -> timedelta:
    """The time of day with which the part that is shown begins."""
    hours, minutes, seconds = map(int, zoomed.inner_text()[:8].split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def test_charts_are_looked_at_closely_by_keys(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "closely"))
    expect(ann.locator("#charts[data-drawn]")).to_be_visible()
    closer, zoomed = ann.get_by_role("button", name="Closer"), ann.locator("#zoomed")

    closer.focus()
    ann.keyboard.press("Enter")
    expect(zoomed).to_have_text(re.compile(r"\d\d:\d\d:\d\d – \d\d:\d\d:\d\d UTC"))
    middle = begins(zoomed)
    ann.get_by_role("button", name="Earlier").focus()
    ann.keyboard.press("Enter")
    assert timedelta() < (middle - begins(zoomed)) % timedelta(days=1) < timedelta(hours=12)  # midnight may be between
    ann.get_by_role("button", name="Whole range").focus()
    ann.keyboard.press("Enter")

    expect(zoomed).to_be_empty()
    expect(closer).to_be_focused()
