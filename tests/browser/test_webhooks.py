"""A webhook from its making to its repair, as an administrator lives it at a browser, with a real endpoint at the other end."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from controlplane.clock import utc_now
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from tests.browser.people import a_flag
from tests.browser.serving import Server
from tests.builders import a_cause
from tests.infrastructure.webhook_receiver import Answer, Receiver, verified

pytestmark = pytest.mark.browser


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.close()


def test_one_is_made_tested_told_of_a_change_and_repaired(ann: Page, server: Server, receiver: Receiver) -> None:
    a_flag(server, "told")
    ann.goto(f"{server.url}/webhooks")
    ann.get_by_label("Name").fill("on-call")
    ann.get_by_label("Address").fill(receiver.url.replace("127.0.0.1", "10.0.0.1"))
    ann.get_by_label("A flag that is disabled").check()
    ann.get_by_label("Flags keys with commas").fill("told")
    ann.get_by_role("button", name="Create webhook").click()
    expect(ann.locator("#url-wrong")).to_contain_text("https://")
    expect(ann.get_by_label("A flag that is disabled")).to_be_checked()

    ann.get_by_label("Address").fill(receiver.url)
    ann.get_by_role("button", name="Create webhook").click()
    secret = ann.locator("#secret").inner_text()
    ann.get_by_role("button", name="Send a test event").click()
    (test,) = receiver.wait_for(1)
    assert verified(test, secret)["type"] == "throwbar.webhook.test"
    expect(ann.get_by_role("row", name="webhook:test")).to_contain_text("Delivered")
    expect(ann.get_by_role("row", name="webhook:test")).to_contain_text("204 in")

    receiver.answers = [Answer(410, b"moved away")]
    flags.disable_flag(server.store, Place("production", "told"), a_cause(utc_now()))
    told = receiver.wait_for(2)[1]
    assert json.loads(told.body)["subject"] == "told"
    expect(ann.get_by_role("row", name="flag:disable")).to_contain_text("Not sent")
    ann.goto(f"{server.url}/environments/production/flags")
    ann.get_by_role("link", name="See the webhook on-call").click()
    expect(ann.get_by_role("status").filter(has_text="disabled by itself")).to_contain_text("410")

    receiver.answers = [Answer(200, b"thank you")]
    ann.locator("#enable summary").click()
    ann.locator("#enable").get_by_role("button", name="Enable").click()
    ann.get_by_role("row", name="flag:disable").get_by_role("button").click()
    again = receiver.wait_for(3)[2]
    assert again.headers["webhook-id"] == told.headers["webhook-id"]
    expect(ann.get_by_role("row", name="Delivered").first).to_contain_text("flag:disable")
