"""The pages of webhooks: made, changed, tested, given a new secret and deleted; and their logs as people read them."""

import re
from dataclasses import replace

import pytest

from controlplane.domain.delivery import Outcome, State, attempted
from controlplane.domain.webhook import failed
from controlplane.usecases import webhooks
from controlplane.usecases.sealing import Seal
from tests.builders import NOW, a_cause
from tests.web.ui.visitor import FLAGS, visible
from web.secret_key import find_secret_key

HOOKS = "/webhooks"
FORM = {
    "name": "on-call",
    "url": "https://hooks.example.org/T000/opens",
    "action": ["rollout:roll_back", "rollout:hold"],
    "actions": "flag:*",
    "environment": ["*"],
    "flags": "",
    "tags": "bridge, edge",
}


@pytest.fixture
def made(admin, store):
    answer = admin.post(HOOKS, **FORM)
    assert answer.status_code == 200, visible(answer)
    return webhooks.list_webhooks(store)[0], answer


def secret_in(answer) -> str:
    return re.search(r'id="secret">([^<]+)<', answer.text).group(1)


def test_one_is_made_and_its_secret_is_shown_once(admin, made, store, settings) -> None:
    webhook, answer = made

    assert Seal(find_secret_key(settings)).open(webhook.secret) == secret_in(answer)
    chosen = webhook.wanted.selection
    assert (chosen.actions, chosen.tags) == (("rollout:roll_back", "rollout:hold", "flag:*"), ("bridge", "edge"))
    assert 'id="secret"' not in admin.get(f"{HOOKS}/{webhook.id}").text
    listed = admin.text(HOOKS)
    assert "on-call https://hooks.example.org" in listed
    assert "opens" not in listed


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("url", "http://hooks.example.org/", "url"),
        ("url", "https://127.0.0.1/", "url"),
        ("name", " ", "name"),
        ("actions", "rollout:rollback", "actions"),
        ("environment", [], "environments"),
        ("environment", ["nowhere"], "environments"),
    ],
)
def test_what_cannot_be_accepted_is_told_at_its_field_and_keeps_what_was_typed(
    admin, store, field, value, told
) -> None:
    refused = admin.post(HOOKS, **{**FORM, field: value})

    assert refused.status_code == 422
    assert f'id="{told}-wrong"' in refused.text
    assert 'value="bridge, edge"' in refused.text
    assert 'value="rollout:hold" checked' in refused.text
    assert webhooks.list_webhooks(store) == []


def test_without_anything_to_be_told_it_says_what_to_do(admin) -> None:
    refused = admin.post(HOOKS, **{**FORM, "action": [], "actions": ""})

    assert "tick what it is told, or name it" in visible(refused)


def test_it_is_changed_disabled_enabled_and_deleted(admin, made, store) -> None:
    webhook, _ = made
    here = f"{HOOKS}/{webhook.id}"

    admin.done(here, **{**FORM, "flags": "dspex-bridge", "action": "rollout:advance"})
    changed = webhooks.get_webhook(store, webhook.id).wanted
    assert (changed.selection.flags, changed.selection.actions) == (("dspex-bridge",), ("rollout:advance", "flag:*"))
    assert "told nothing any more" in admin.done(f"{here}/switch")
    assert not webhooks.get_webhook(store, webhook.id).wanted.enabled
    assert "Send a test event" not in admin.text(here)
    assert "told what happens from now on" in admin.done(f"{here}/switch", enabled="yes")
    assert "with its log" in admin.done(f"{here}/delete")
    assert admin.get(here).status_code == 404


def test_a_wrong_change_keeps_what_was_typed(admin, made, store) -> None:
    webhook, _ = made

    refused = admin.post(f"{HOOKS}/{webhook.id}", **{**FORM, "url": "ftp://example.org"})

    assert refused.status_code == 422
    assert 'value="ftp://example.org"' in refused.text
    assert webhooks.get_webhook(store, webhook.id).wanted.url == FORM["url"]


def test_a_new_secret_is_shown_once_and_says_how_long_the_old_one_signs(admin, made) -> None:
    webhook, answer = made
    turned = admin.post(f"{HOOKS}/{webhook.id}/rotate", overlap_hours="168")

    assert secret_in(turned) != secret_in(answer)
    assert "The old secret signs as well until" in visible(turned)
    leaked = admin.post(f"{HOOKS}/{webhook.id}/rotate", overlap_hours="0")
    assert "signs as well" not in visible(leaked)


def test_a_test_event_stands_in_the_log(admin, made) -> None:
    webhook, _ = made

    told = admin.done(f"{HOOKS}/{webhook.id}/test")

    assert "webhook:test" in told
    assert "On its way" in told


def came_to(store, webhook, outcome: Outcome, state: State | None = None) -> int:
    """A test event, after one attempt."""
    made = webhooks.send_test(store, webhook.id, a_cause())
    with store.writing() as uow:
        after = attempted(made, outcome, NOW, 0.0)
        uow.deliveries.save(made, replace(after, state=state, next_at=None) if state else after)
        uow.commit()
    return made.id


def test_the_log_says_what_came_of_each(admin, made, store) -> None:
    webhook, _ = made
    came_to(store, webhook, Outcome(204, milliseconds=12))
    came_to(store, webhook, Outcome(500, "<b>out of order</b>", milliseconds=7))
    came_to(store, webhook, Outcome(error="it refuses connections: nobody listens there"), State.FAILED)

    page = admin.get(f"{HOOKS}/{webhook.id}", **{"HX-Request": "true"})

    words = visible(page)
    assert "<html" not in page.text
    assert "Delivered 204 in 12 ms" in words
    assert "Tried again 1 attempt, next" in words
    assert "&lt;b&gt;out of order&lt;/b&gt;" in page.text
    assert "Given up it refuses connections: nobody listens there" in words
    assert page.text.count("Send again</button>") == 2


def test_one_is_sent_again(admin, made, store) -> None:
    webhook, _ = made
    number = came_to(store, webhook, Outcome(204))

    admin.done(f"{HOOKS}/{webhook.id}/deliveries/{number}/redeliver")

    newest, old = webhooks.list_deliveries(store, webhook.id).items[:2]
    assert (newest.event, newest.state, old.id) == (old.event, "pending", number)


def test_what_is_on_its_way_is_not_sent_twice(admin, made, store) -> None:
    webhook, _ = made
    number = came_to(store, webhook, Outcome(500))

    refused = admin.post(f"{HOOKS}/{webhook.id}/deliveries/{number}/redeliver")

    assert refused.status_code == 409
    assert "still on its way" in visible(refused)


def test_one_that_was_disabled_by_itself_needs_an_administrator_and_nobody_else(
    admin, viewer, made, store, flag
) -> None:
    webhook, _ = made
    assert "Nothing needs you" in admin.text(FLAGS)
    with store.writing() as uow:
        uow.webhooks.save(failed(webhook, 410, "it answered 410", NOW))
        uow.commit()

    told = admin.text(FLAGS)
    assert "1 webhook needs you" in told
    assert "on-call is told nothing any more" in told
    assert "Its endpoint answered 410: it is gone." in told
    assert "Nothing needs you" in viewer.text(FLAGS)
    assert "It was disabled by itself: its endpoint answered 410" in admin.text(f"{HOOKS}/{webhook.id}")

    admin.done(f"{HOOKS}/{webhook.id}/switch", enabled="yes")
    assert "Nothing needs you" in admin.text(FLAGS)


def test_where_reasons_are_wanted_the_form_asks_and_the_brakes_do_not(admin, store) -> None:
    admin.done("/environments/production/calendar/reasons", require_reason="yes")
    refused = admin.post(HOOKS, **FORM)

    assert refused.status_code == 422
    assert 'id="reason-wrong"' in refused.text
    admin.post(HOOKS, **FORM, reason="the pager")
    (webhook,) = webhooks.list_webhooks(store)
    assert admin.post(f"{HOOKS}/{webhook.id}/test").status_code == 303
    assert admin.post(f"{HOOKS}/{webhook.id}/rotate").status_code == 200
    assert admin.post(f"{HOOKS}/{webhook.id}/delete").status_code == 303


def test_only_administrators_see_them(operator, viewer) -> None:
    for somebody in (operator, viewer):
        assert somebody.get(HOOKS).status_code == 403
        assert "Webhooks" not in somebody.text(FLAGS)
