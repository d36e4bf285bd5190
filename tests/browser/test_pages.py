"""Do the pages work for a person with a browser, with scripts and without, while things happen?"""

import re

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.domain.phases import Phase
from controlplane.usecases import flags, people, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment
from tests.browser.people import a_flag, until, watched
from tests.browser.serving import Server
from tests.builders import a_cause, a_data_flag_document, a_data_plan_document

pytestmark = pytest.mark.browser

WIDE = "a-key-of-sixty-characters-as-somebody-may-well-find-good-one"


def a_data_flag(server: Server, key: str, environment: str = "production", **changes: object) -> str:
    """The same, whose plan moves data."""
    document = a_data_flag_document(key=key, guardrails=None, **changes)
    flags.create_flag(server.store, environment, document, a_cause(utc_now()))
    return f"{server.url}/environments/{environment}/flags/{key}"


def test_from_a_link_to_a_flag_that_moves(page: Page, server: Server) -> None:
    page.goto(server.link())
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Later").click()

    page.get_by_role("link", name=re.compile("New flag|Create a flag")).first.click()
    page.get_by_label("Key as the code").fill("first-move")
    page.get_by_label("Baseline the backend").fill("old_pool")
    page.get_by_label("Candidate the backend").fill("new_pool")
    page.get_by_label("Operations one a line").fill("echo")
    page.get_by_label("Template").select_option("cautious")
    page.get_by_role("button", name="Use").click()
    page.get_by_role("button", name="Create flag").click()
    expect(page.get_by_role("status").first).to_contain_text("first-move was created")

    page.locator("#enable summary").click()
    page.get_by_role("button", name="Enable now").click()
    expect(page.locator("#state")).to_contain_text("Enabled at 0 %")

    page.get_by_label("Percent of echo").fill("5")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#state .sentence")).to_contain_text(re.compile(r"5.% of echo on new_pool"))

    page.locator("#verb-start summary").click()
    page.locator("#verb-start").get_by_label("Reason").fill("all agreed")
    page.locator("#verb-start").get_by_role("button", name="Start the rollout").click()
    expect(page.locator("#state .sentence")).to_contain_text(re.compile(r"1.% of echo on new_pool since .*bakes until"))
    expect(page.locator("#history")).to_contain_text("all agreed")


def test_the_point_of_no_return_asks_for_the_key_and_is_said_loudly(ann: Page, server: Server) -> None:
    # Of its own: a service that another test has left would hold the plan back until it obeys.
    create_environment(server.store, "no-return", a_cause(utc_now()))
    place = Place("no-return", "orders-store")
    address = a_data_flag(server, place.flag, place.environment, plan=a_data_plan_document(bake_seconds=604_800))
    rollouts.start(server.store, place, a_cause(utc_now()))
    for _ in range(4):
        rollouts.advance(server.store, place, a_cause(utc_now()))
    ann.goto(address)
    expect(ann.locator("#data")).to_contain_text("The last phase before the point of no return")

    ann.locator("#verb-advance summary").click()
    ann.locator("#verb-advance").get_by_label("Type orders-store to confirm").fill("orders")
    ann.locator("#verb-advance").get_by_role("button", name="Complete, with no way back").click()
    expect(ann.locator("#notice")).to_contain_text("must be 'orders-store'")
    assert flags.get_flag(server.store, place).rollout.phase is Phase.RAMP_DOWN

    ann.locator("#verb-advance").get_by_label("Type orders-store to confirm").fill("orders-store")
    ann.locator("#verb-advance").get_by_role("button", name="Complete, with no way back").click()
    expect(ann.locator("#data")).to_contain_text("No way back: python_pool_v2 is written no more")
    assert flags.get_flag(server.store, place).rollout.phase is Phase.COMPLETE


def test_writes_that_are_missing_are_said_to_be_there_with_a_reason(plain: Page, server: Server) -> None:
    address = a_data_flag(server, "missing")
    rollouts.start(server.store, Place("production", "missing"), a_cause(utc_now()))
    with server.store.writing() as uow:
        uow.examples.add_divergences(1, {("missing", "write"): {"writes": 2, "candidate_missing": 2}}, utc_now())
        uow.commit()
    plain.goto(address)
    expect(plain.locator("#data")).to_contain_text("Writes are missing: 2 in the store of snakepit")

    plain.locator("#reconciled-candidate summary").click()
    plain.locator("#reconciled-candidate").get_by_label("Reason").fill("copied by the nightly job")
    plain.get_by_role("button", name="They are there now").click()

    expect(plain.locator("#data")).to_contain_text("nothing is missing in either")
    expect(plain.locator("#history")).to_contain_text("copied by the nightly job")


def test_the_kill_switch_works_without_javascript(plain: Page, server: Server) -> None:
    plain.goto(a_flag(server, "no-script"))
    plain.locator("#disable summary").click()
    plain.locator("#disable").get_by_label("Reason").fill("3 a.m.")
    plain.get_by_role("button", name="Disable now").click()

    expect(plain.locator("#notice")).to_contain_text("Disabled: every call goes to the baseline.")
    assert not flags.get_flag(server.store, Place("production", "no-script")).enabled


def test_a_rollout_and_a_percent_work_without_javascript(plain: Page, server: Server) -> None:
    plain.goto(a_flag(server, "plain"))
    plain.get_by_label("Percent of echo").fill("0.5")
    plain.locator("tr", has_text="echo").get_by_role("button", name="Set").click()
    expect(plain.locator("#state .sentence")).to_contain_text(re.compile(r"0\.5.% of echo"))

    plain.locator("#verb-start summary").click()
    plain.locator("#verb-start button").click()

    expect(plain.locator("#rollout")).to_contain_text("running")
    expect(plain.locator("#charts table").first).to_be_attached()


def test_what_somebody_types_survives_the_polling_while_the_state_turns(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "typing"))
    ann.locator("#disable summary").click()
    reason = ann.locator("#disable").get_by_label("Reason")
    reason.fill("still writ")

    flags.set_operation(server.store, Place("production", "typing"), "echo", {"percent": 7}, a_cause(utc_now()))
    expect(ann.locator("#state .sentence")).to_contain_text(re.compile(r"7.% of echo"))

    expect(reason).to_have_value("still writ")
    expect(reason).to_be_focused()


def test_whoever_is_in_a_field_before_its_form_has_opened_is_left_there(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "quick-hands"))
    quickly = """async () => {
      const form = document.getElementById("route-echo"), field = document.getElementById("attempts-echo");
      const told = new Promise((resolve) => form.addEventListener("toggle", resolve, { once: true }));
      form.open = true;
      field.focus();
      await told;
      return document.activeElement.id;
    }"""

    assert ann.evaluate(quickly) == "attempts-echo"


def test_an_open_form_stays_open_while_the_answer_to_the_one_before_arrives(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "slow-answer"))
    held: list[tuple[Route, APIResponse]] = []
    ann.route("**/operations/echo", lambda route: held.append((route, route.fetch())))
    ann.get_by_label("Percent of echo").fill("5")
    ann.locator("tr", has_text="echo").get_by_role("button", name="Set").click()
    expect(ann.locator("#state .sentence")).to_contain_text(re.compile(r"5.% of echo"))  # a poll was faster
    until(ann, lambda: held)  # and the answer may come to us later than the poll's to the page
    start = ann.locator("#verb-start")
    start.locator("summary").click()
    start.get_by_label("Reason").fill("all agreed")

    route, answer = held[0]
    route.fulfill(response=answer)
    expect(ann.locator("#notice")).to_contain_text("echo")

    expect(start.get_by_label("Reason")).to_have_value("all agreed")
    start.get_by_role("button", name="Start the rollout").click()
    expect(ann.locator("#rollout")).to_contain_text("running")


def test_two_people_in_conflict_see_both_versions(ann: Page, server: Server) -> None:
    address, place = a_flag(server, "both"), Place("production", "both")
    ann.set_viewport_size({"width": 800, "height": 500})
    ann.goto(address)
    ann.get_by_label("Percent of echo").fill("5")

    flags.set_operation(server.store, place, "echo", {"percent": 10}, a_cause(utc_now(), reason="I was faster"))
    ann.locator("tr", has_text="echo").get_by_role("button", name="Set").click()

    notice = ann.locator("#notice")
    expect(notice).to_contain_text("Nothing was changed.")
    expect(notice).to_be_in_viewport()
    expect(notice).to_contain_text(re.compile(r"10.%"))
    notice.get_by_role("button", name="Do it on version 2").click()
    expect(ann.locator("#state .sentence")).to_contain_text(re.compile(r"5.% of echo"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    browser: Browser, server: Server, *, scripts: bool
) -> None:
    email, key = f"forgetful-{scripts}@example.org".lower(), f"kept-{scripts}".lower()
    with watched(browser, java_script_enabled=scripts) as page:
        page.goto(server.link(email))
        page.get_by_role("button", name="Sign in").click()
        person = people.find_person(server.store, email)
        page.goto(a_flag(server, key))
        page.locator("#disable summary").click()
        page.locator("#disable").get_by_label("Reason").fill("typed before it ended")
        people.set_password(server.store, person.id, "correct horse battery", a_cause(utc_now()))  # ends the session

        page.get_by_role("button", name="Disable now").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("main")).to_contain_text("typed before it ended")
        assert flags.get_flag(server.store, Place("production", key)).enabled
        page.get_by_role("button", name="Send it now").click()

        expect(page.locator("#notice")).to_contain_text("Disabled")
        expect(page.locator("#history")).to_contain_text("typed before it ended")


def test_the_list_is_searched_while_typing_and_the_address_keeps_it(ann: Page, server: Server) -> None:
    a_flag(server, "needle")
    a_flag(server, "haystack")
    ann.goto(f"{server.url}/environments/production/flags")

    ann.keyboard.press("/")
    ann.keyboard.type("needl")

    expect(ann.locator("#flag-haystack")).to_have_count(0)
    expect(ann.locator("#flag-needle")).to_be_visible()
    expect(ann).to_have_url(re.compile(r"[?&]q=needl"))
    ann.reload()
    expect(ann.get_by_label("Search flags")).to_have_value("needl")


def test_charts_are_drawn_for_every_operation(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "drawn"))

    expect(ann.locator("#charts[data-drawn='11']")).to_be_visible()  # five of each operation, and the flag's evidence
    expect(ann.locator("#charts canvas")).to_have_count(11)
    ann.get_by_role("link", name="6 hours").click()
    expect(ann).to_have_url(re.compile("range=6h"))


def test_the_latencies_that_are_drawn_are_chosen_and_the_address_keeps_them(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "quantiles"))
    ann.get_by_role("link", name="p95", exact=True).click()
    ann.get_by_role("link", name="p50", exact=True).click()
    expect(ann).to_have_url(re.compile("quantiles=p95,p99"))
    ann.get_by_role("link", name="1 hour").click()

    ann.reload()

    chosen = ann.locator("[data-quantile][aria-current]")
    expect(chosen).to_have_text(["p95", "p99"])
    expect(ann.locator("[data-range][aria-current]")).to_have_text(["1 hour"])
    expect(ann.locator("#table-echo th[scope=col]")).to_contain_text(
        ["Backend", "Calls", "Error rate", "p95 now", "p99 now"]
    )


def test_a_chart_has_a_band_around_each_side_where_a_step_tells_anything(ann: Page, server: Server) -> None:
    ann.goto(a_flag(server, "bands"))
    bands = """async (high) => {
      const { KINDS } = await import("/static/any/chart-kinds.js");
      const side = { calls: [9, 9], error_rate_high: [high, high], error_rate_low: [0, 0.001] };
      return KINDS.errors.bands({ operations: { echo: { baseline: side, candidate: side } } }, "echo", 0.01);
    }"""

    assert ann.evaluate(bands, 0.02) == [[0.02, 0.02], [0, 0.001]] * 2
    assert ann.evaluate(bands, 0.5) == [[None, None]] * 4


def test_an_operation_that_is_taken_away_leaves_the_charts_of_the_others(ann: Page, server: Server) -> None:
    def without_echo(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        del told["operations"]["echo"], told["evidence"]["operations"]["echo"]
        route.fulfill(response=answer, json=told)

    ann.route("**/series?*", without_echo)
    ann.goto(a_flag(server, "smaller"))

    expect(ann.locator("#charts[data-drawn]")).to_be_visible()
    expect(ann.locator("#charts-simple_predict canvas")).to_have_count(5)
    expect(ann.locator("#charts-echo canvas")).to_have_count(0)


def test_a_slow_server_is_asked_for_the_charts_once_at_a_time(ann: Page, server: Server) -> None:
    held: list[Route] = []
    ann.route("**/series?*", lambda route: held.append(route))  # noqa: PLW0108 - it marks what it is given
    news = "document.dispatchEvent(new CustomEvent('stream:changed', { detail: { all: true, flags: [] } }))"
    ann.add_init_script("AbortSignal.timeout = () => new AbortController().signal")  # no question counts as lost here
    ann.goto(a_flag(server, "patient"))
    expect(ann.locator("html")).to_have_attribute("data-stream", "open")
    until(ann, lambda: held)

    for _ in range(3):
        ann.evaluate(news)
    assert len(held) == 1
    held[0].continue_()
    until(ann, lambda: len(held) > 1)
    ann.evaluate(news)
    assert len(held) == 2  # three news are asked for once

    held[1].continue_()
    expect(ann.locator("#charts[data-drawn]")).to_be_visible()


def test_the_theme_is_remembered(ann: Page, server: Server) -> None:
    ann.goto(server.url)
    before = ann.evaluate("getComputedStyle(document.body).backgroundColor")

    ann.get_by_role("button", name="Switch between light and dark").click()
    ann.reload()

    assert ann.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_nothing_on_any_page_is_refused_by_the_content_security_policy(ann: Page, server: Server) -> None:
    address = a_flag(server, "strict")
    complaints: list[str] = []
    ann.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    with ann.expect_response(f"{address}/live"):
        ann.goto(address)
    expect(ann.locator("#charts[data-drawn]")).to_be_visible()
    expect(ann.locator(".htmx-request")).to_have_count(0)  # what it was told stands on the page
    for path in ("/tokens", "/people", "/environments/production/audit"):
        ann.goto(server.url + path)
    ann.goto(f"{address}/edit")
    expect(ann.locator("#forecast")).to_contain_text("What each stage could see")

    assert complaints == []


@pytest.fixture(scope="package")
def wide(server: Server) -> None:
    """A flag whose names are as long as they may be."""
    names = {f"an_operation_of_which_somebody_said_it_all_in_its_name_{number}": {} for number in range(20)}
    a_flag(server, WIDE, operations=names, baseline=f"{WIDE}-baseline", candidate=f"{WIDE}-candidate")


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_no_page_is_wider_than_its_screen(ann: Page, server: Server, wide: None, width: int) -> None:
    ann.set_viewport_size({"width": width, "height": 800})

    for path in (
        "",
        f"/environments/production/flags/{WIDE}",
        f"/environments/production/flags/{WIDE}/edit",
        f"/environments/production/flags/{WIDE}/checklist",
        "/environments/production/audit",
        "/docs",
        "/environments/production/new-flag",
        "/tokens",
        "/people",
        "/environments/production/start",
    ):
        answer = ann.goto(server.url + path)
        assert answer
        assert answer.ok, path
        assert ann.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_viewer_watches_and_asks_and_finds_nothing_that_changes_anything(page: Page, server: Server) -> None:
    address = a_flag(server, "looked-at")
    page.goto(server.link("viewer@example.org", Role.VIEWER))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Later").click()
    page.goto(address)

    expect(page.locator("#state .sentence")).to_be_visible()
    # Some are for looking: the question who gets what, and those that look closer at a chart.
    changing = page.locator("main").locator("button:not(form[method=get] button, #unzoom, [data-zoom]), summary.button")
    assert changing.all_inner_texts() == []
    assert page.locator("main form:not([method=get])").count() == 0
