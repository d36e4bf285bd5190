"""Is a webhook told what it was made for, and nothing else; and is it given up in time?"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.audit import Action
from controlplane.domain.errors import InvalidInput
from controlplane.domain.webhook import (
    FAILS_FOR,
    UNTOLD,
    Selection,
    Wanted,
    Webhook,
    check,
    failed,
    revised,
    rotated,
    succeeded,
)
from tests.builders import NOW

WANTED = Wanted("chat", "https://example.org/hook")
WEBHOOK = Webhook(1, WANTED, "sealed", NOW, "ann")
ROLL_BACK = Action.ROLLOUT_ROLL_BACK


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (Selection(), True),
        (Selection(environments=("production", "staging")), True),
        (Selection(environments=("staging",)), False),
        (Selection(flags=("dspex-bridge",)), True),
        (Selection(flags=("other",)), False),
        (Selection(tags=("bridge",)), True),
        (Selection(tags=("other",)), False),
        (Selection(flags=("other",), tags=("bridge",)), True),
        (Selection(actions=("rollout:roll_back",)), True),
        (Selection(actions=("flag:*", "rollout:*")), True),
        (Selection(actions=("rollout:advance",)), False),
        (Selection(actions=("roll:*",)), False),
    ],
)
def test_environment_flag_and_action_choose_together(selection: Selection, *, told: bool) -> None:
    assert selection.wants("production", ROLL_BACK, "dspex-bridge", ["bridge"]) is told


def test_what_is_about_no_flag_is_told_to_whom_named_none() -> None:
    assert Selection().wants("production", Action.TOKEN_CREATE, None)
    assert not Selection(flags=("dspex-bridge",)).wants("production", Action.TOKEN_CREATE, None)


@pytest.mark.parametrize("action", UNTOLD)
def test_a_test_of_one_webhook_is_no_news_for_another(action: Action) -> None:
    assert not Selection().wants("production", action, None)


def test_every_action_can_be_chosen_and_a_misspelt_one_cannot() -> None:
    check(
        Wanted("chat", "", Selection(actions=("*", *Action, *{f"{each.value.partition(':')[0]}:*" for each in Action})))
    )

    with pytest.raises(InvalidInput, match=r"actions\.1: is no action"):
        check(Wanted("chat", "", Selection(actions=("flag:*", "rollout:rollback"))))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(" ", ""), "name"),
        (Wanted("chat", "", Selection(environments=())), "environments"),
        (Wanted("chat", "", Selection(actions=())), "actions"),
    ],
)
def test_what_is_missing_is_named(wanted: Wanted, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(wanted)

    assert [each.field for each in refused.value.errors] == [field]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 86_400)), max_size=60))
def test_it_is_disabled_when_and_only_when_it_has_failed_for_days_without_a_success(story) -> None:
    webhook, now, since = WEBHOOK, NOW, None
    for is_success, seconds in story:
        now += timedelta(seconds=seconds)
        if is_success:
            webhook, since = succeeded(webhook), None
        else:
            since = since or now
            webhook = failed(webhook, 500, "it answered 500", now)
        if since and now - since >= FAILS_FOR:
            assert not webhook.wanted.enabled
            assert "it answered 500" in webhook.disabled_because
            return
        assert webhook.wanted.enabled
        assert (webhook.failing_since, bool(webhook.failures)) == (since, since is not None)


def test_one_that_says_it_is_gone_is_disabled_at_once() -> None:
    after = failed(WEBHOOK, 410, "it answered 410", NOW)

    assert not after.wanted.enabled
    assert "410" in after.disabled_because


def test_one_that_is_enabled_again_starts_anew() -> None:
    gone = failed(WEBHOOK, 410, "it answered 410", NOW)

    after = revised(gone, WANTED)

    assert (after.wanted.enabled, after.failing_since, after.failures, after.disabled_because) == (True, None, 0, "")


def test_both_secrets_sign_until_the_overlap_is_over() -> None:
    after = rotated(WEBHOOK, "new", NOW, timedelta(hours=24))

    assert after.secrets_at(NOW + timedelta(hours=24) - timedelta(seconds=1)) == ("new", "sealed")
    assert after.secrets_at(NOW + timedelta(hours=24)) == ("new",)


def test_a_secret_that_has_leaked_ends_at_once_and_so_does_one_from_before_the_last() -> None:
    once = rotated(WEBHOOK, "second", NOW, timedelta(hours=24))

    assert rotated(once, "third", NOW, timedelta()).secrets_at(NOW) == ("third",)
    assert rotated(once, "third", NOW, timedelta(hours=1)).secrets_at(NOW) == ("third", "second")
