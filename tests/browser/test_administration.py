"""Who comes in, and what an administrator looks after, as it is done at a browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.usecases import people
from controlplane.usecases.environments import create_environment
from tests.browser.people import a_flag, watched
from tests.browser.serving import Server
from tests.builders import a_cause

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


def test_somebody_signs_in_by_password_and_out_again(page: Page, server: Server) -> None:
    person = people.add_person(server.store, "bea@example.org", Role.VIEWER, a_cause(utc_now()))
    people.set_password(server.store, person.id, PASSWORD, a_cause(utc_now()))
    page.goto(server.url)
    page.get_by_label("E-mail").fill("bea@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value("bea@example.org")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Flags", exact=True)).to_be_visible()
    page.locator("header .account summary").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.locator("#notice")).to_contain_text("You are signed out.")
    page.goto(f"{server.url}/environments/production/flags")
    expect(page.get_by_label("Password")).to_be_visible()


def test_an_invitation_leads_a_colleague_in_with_the_role_that_was_meant(
    ann: Page, browser: Browser, server: Server
) -> None:
    ann.goto(f"{server.url}/people")
    ann.get_by_label("E-mail").fill("carl@example.org")
    ann.locator("#role").select_option("viewer")
    ann.get_by_role("button", name="Make an invitation link").click()
    link = ann.locator("#link").inner_text()

    with watched(browser) as page:
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_role("heading", name="Flags", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="New flag")).to_have_count(0)

        row = ann.get_by_role("row", name="carl@example.org")
        row.locator("summary").click()
        row.get_by_label("Role").select_option("operator")
        row.get_by_role("button", name="Set role").click()
        expect(ann.get_by_role("row", name="carl@example.org")).to_contain_text("operator in every environment")
        page.reload()
        expect(page.get_by_role("link", name="New flag")).to_be_visible()


def test_an_environment_is_made_and_gone_to(ann: Page, server: Server) -> None:
    ann.goto(f"{server.url}/environments")
    ann.get_by_label("Name").fill("canary")
    ann.get_by_role("button", name="Create environment").click()
    expect(ann).to_have_url(f"{server.url}/environments/canary/flags")
    expect(ann.locator("#found")).to_contain_text("Move your first service")

    for name in ("production", "canary"):
        ann.locator("header details.where summary").click()
        ann.locator("header details.where").get_by_role("link", name=name, exact=True).click()
        expect(ann).to_have_url(f"{server.url}/environments/{name}/flags")


def test_a_freeze_is_entered_seen_and_ended(ann: Page, server: Server) -> None:
    create_environment(server.store, "frozen", a_cause(utc_now()))
    ann.goto(f"{server.url}/environments/frozen/calendar")
    begin = utc_now() - timedelta(hours=1)
    ann.get_by_label("Why").fill("Inventory")
    ann.get_by_label("From UTC").fill(f"{begin:%Y-%m-%dT%H:%M}")
    ann.get_by_label("To UTC").fill(f"{begin - timedelta(days=1):%Y-%m-%dT%H:%M}")
    ann.get_by_role("button", name="Freeze").click()
    expect(ann.locator("#ends_at-wrong")).to_be_visible()

    ann.get_by_label("To UTC").fill(f"{begin + timedelta(days=1):%Y-%m-%dT%H:%M}")
    ann.get_by_role("button", name="Freeze").click()
    expect(ann.get_by_role("row", name="Inventory")).to_contain_text("now")

    ann.get_by_role("button", name="End Inventory").click()
    expect(ann.get_by_text("None: rollouts move on whenever their plans let them.")).to_be_visible()


def test_settings_are_shown_and_their_secrets_are_not(ann: Page, server: Server) -> None:
    ann.goto(f"{server.url}/settings")

    expect(ann.get_by_role("row", name="THROWBAR_TICK_SECONDS")).to_contain_text("0.2the environment")
    expect(ann.get_by_role("row", name="THROWBAR_PORT")).to_contain_text("the default")


def test_the_audit_is_filtered_linked_to_and_verified(ann: Page, server: Server) -> None:
    create_environment(server.store, "audited", a_cause(utc_now()))
    for key in ("one", "two"):
        a_flag(server, key, "audited")
    ann.goto(f"{server.url}/environments/audited/audit")
    ann.get_by_label("Flag", exact=True).fill("two")
    ann.get_by_role("button", name="Filter").click()
    expect(ann.locator(".entries > li")).to_have_count(1)
    expect(ann).to_have_url(re.compile("flag=two"))

    ann.locator(".entries > li a").first.click()
    expect(ann).to_have_url(re.compile(r"/audit/\d+$"))
    expect(ann.locator("main")).to_contain_text("Hash before")

    ann.get_by_role("link", name="Audit").last.click()
    ann.get_by_role("link", name="Verify the chain").click()
    expect(ann.get_by_role("status").first).to_contain_text("The chain is intact: 3 entries")
