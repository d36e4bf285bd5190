"""What an operator does with one flag, as it is done at a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from controlplane.clock import utc_now
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from tests.browser.people import a_flag
from tests.browser.serving import Server
from tests.builders import a_cause, a_plan_document

pytestmark = pytest.mark.browser


def test_a_flag_is_switched_on_and_off_without_javascript(plain: Page, server: Server) -> None:
    plain.goto(a_flag(server, "toggled", enabled=False))
    plain.locator("#enable summary").click()
    plain.get_by_role("button", name="Enable now").click()
    expect(plain.locator("#notice")).to_contain_text("Enabled.")

    plain.locator("#disable summary").click()
    plain.locator("#disable").get_by_label("Reason").fill("3 a.m.")
    plain.get_by_role("button", name="Disable now").click()

    expect(plain.locator("#notice")).to_contain_text("Disabled: every call goes to the baseline.")
    expect(plain.locator("#history")).to_contain_text("3 a.m.")
    assert not flags.get_flag(server.store, Place("production", "toggled")).enabled


def test_two_tabs_that_edit_one_flag_see_both_versions(ann: Page, server: Server) -> None:
    address = a_flag(server, "two-tabs")
    other = ann.context.new_page()
    for tab in (ann, other):
        tab.goto(f"{address}/edit")
    other.get_by_label("Owner a team or a person").fill("payments")
    other.get_by_role("button", name="Save").last.click()
    expect(other.locator("#notice")).to_contain_text("Saved.")

    ann.get_by_label("Owner a team or a person").fill("search")
    ann.get_by_role("button", name="Save").last.click()

    told = ann.get_by_role("alert")
    expect(told).to_contain_text("Nothing was saved.")
    expect(told.get_by_role("row", name="owner")).to_contain_text("paymentssearch")
    ann.get_by_role("button", name="Save").last.click()
    expect(ann.locator("#notice")).to_contain_text("Saved.")
    assert flags.get_flag(server.store, Place("production", "two-tabs")).owner == "search"


def test_a_plan_is_written_with_its_forecast_beside_it(ann: Page, server: Server) -> None:
    ann.goto(f"{a_flag(server, 'planned')}/edit")
    forecast = ann.locator("#forecast")
    expect(forecast).to_contain_text("What each stage could see")

    ann.get_by_label("Percent of stage 2").fill("20")
    ann.get_by_label("Percent of stage 2").press("Tab")
    expect(forecast.get_by_role("row", name="20 %")).to_be_visible()
    expect(forecast.get_by_role("row", name="10 %")).to_have_count(0)

    ann.get_by_label("Percent of stage 2").fill("0.5")
    ann.get_by_role("button", name="Save").last.click()
    expect(ann.get_by_role("alert")).to_contain_text("Nothing was saved")
    ann.get_by_label("Percent of stage 2").fill("100")
    for number in (3, 4):
        ann.get_by_label(f"Percent of stage {number}").fill("")
        ann.get_by_label(f"Bake of stage {number}", exact=True).fill("")
    ann.get_by_role("button", name="Save").last.click()

    expect(ann.locator("#notice")).to_contain_text("Saved.")
    expect(ann.locator("#state")).to_contain_text("100 %")


def test_a_version_is_brought_back_from_the_history(ann: Page, server: Server) -> None:
    address, place = a_flag(server, "reverted"), Place("production", "reverted")
    flags.set_operation(server.store, place, "echo", {"percent": 40}, a_cause(utc_now()))
    ann.goto(address)

    ann.locator("#revert-1 summary").click()
    ann.locator("#revert-1").get_by_label("Reason").fill("too early")
    ann.get_by_role("button", name="Revert to version 1").click()

    expect(ann.locator("#notice")).to_contain_text("As it was in version 1.")
    expect(ann.locator("#history")).to_contain_text("too early")
    assert flags.get_flag(server.store, place).operations["echo"].share == 0


def test_a_key_is_told_where_it_goes_and_the_answer_has_an_address(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "who", operations={"echo": {"percent": 100}}))

    ann.get_by_label("Key empty: a call without one").fill("session-42")
    ann.get_by_role("button", name="Look").click()
    expect(ann.locator("#decision")).to_contain_text("session-42 goes to snakepit, the candidate.")
    ann.get_by_role("link", name="Address of this question").click()

    expect(ann.get_by_label("Key empty: a call without one")).to_have_value("session-42")
    expect(ann.locator("#decision")).to_contain_text("session-42 goes to snakepit")


def test_a_rollout_waits_for_the_checklist_that_somebody_requires(ann: Page, server: Server) -> None:
    address = a_flag(server, "listed", plan=a_plan_document(5, 98))
    ann.goto(f"{address}/checklist")
    ann.get_by_label("A rollout waits for the required items").check()
    ann.locator("#before").get_by_role("button", name="Save", exact=True).last.click()
    expect(ann.locator("#before")).to_contain_text("A rollout neither starts nor advances before this is done")

    ann.goto(address)
    ann.locator("#verb-start summary").click()
    ann.get_by_role("button", name="Start the rollout").click()
    expect(ann.locator("#notice")).to_contain_text("Nothing was changed")

    ann.goto(f"{address}/checklist")
    item = ann.locator("#before .checklist > li").first
    item.get_by_text("Change or tick off").click()
    item.get_by_label("Evidence").fill("https://ci.example.org/run/1")
    item.get_by_label("Done").check()
    item.get_by_role("button", name="Save").click()
    expect(ann.locator("#before .checklist > li").first).to_contain_text("Done")


def test_the_criteria_of_success_lead_to_a_report_to_hand_on(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "judged"))
    ann.get_by_role("link", name="Success criteria").click()
    expect(ann.get_by_role("heading", name="Success criteria")).to_be_visible()

    ann.get_by_role("link", name="Report to hand on").click()

    expect(ann.get_by_role("heading", name=re.compile("judged"))).to_be_visible()


def test_the_list_is_filtered_by_state_and_owner_and_the_address_keeps_it(ann: Page, server: Server) -> None:
    a_flag(server, "filtered-off", owner="night-shift", enabled=False)
    a_flag(server, "filtered-on", owner="night-shift")
    a_flag(server, "filtered-other", owner="day-shift", enabled=False)
    ann.goto(f"{server.url}/environments/production/flags")

    ann.get_by_label("Owner").select_option("night-shift")
    ann.get_by_label("Off").press("Space")

    expect(ann.locator("#flag-filtered-on")).to_have_count(0)
    expect(ann.locator("#flag-filtered-other")).to_have_count(0)
    expect(ann.locator("#flag-filtered-off")).to_be_visible()
    expect(ann).to_have_url(re.compile("state=off.*owner=night-shift"))
    ann.reload()
    expect(ann.get_by_label("Off")).to_be_checked()
    expect(ann.locator("#flag-filtered-on")).to_have_count(0)
