"""Webhooks at a shell, on the database and through a server."""

import pytest

from tests.web.cli.test_shell import read, throwbar

__all__ = ["throwbar"]  # the fixture

CREATE = ("webhook", "create", "on-call", "https://hooks.example.org/T000", "--action", "rollout:*", "--flag", "bridge")


@pytest.fixture
def secret(throwbar) -> str:
    made = throwbar(*CREATE, "-m", "the pager")
    assert made.exit_code == 0, made.output
    return made.stdout.strip()


def test_one_is_made_and_its_secret_is_printed_this_once(throwbar, secret) -> None:
    (told,) = read(throwbar("webhook", "list", "--json"))
    listed = throwbar("webhook", "list").stdout
    entry = read(throwbar("audit", "list", "--json"))[0]

    assert secret.startswith("whsec_")
    assert (told["name"], told["actions"], told["flags"], told["environments"]) == (
        "on-call",
        ["rollout:*"],
        ["bridge"],
        ["*"],
    )
    assert "on-call" in listed
    assert "enabled" in listed
    assert secret not in listed
    assert (entry["action"], entry["reason"]) == ("webhook:create", "the pager")


def test_it_is_disabled_enabled_given_a_new_secret_and_deleted(throwbar, secret) -> None:
    assert throwbar("webhook", "disable", "1", "-m", "noise").stdout == "on-call is told nothing any more.\n"
    assert read(throwbar("webhook", "list", "--json"))[0]["enabled"] is False
    assert throwbar("webhook", "enable", "1").stdout == "on-call is told what happens from now on.\n"
    turned = throwbar("webhook", "rotate", "1", "--overlap-hours", "2").stdout.strip()
    assert turned.startswith("whsec_")
    assert turned != secret
    assert read(throwbar("webhook", "list", "--json"))[0]["old_secret_until"]
    assert throwbar("webhook", "delete", "1").stdout == "on-call is deleted.\n"
    assert throwbar("webhook", "list").stdout == "There are no webhooks.\n"


def test_a_test_event_stands_in_the_log_and_is_not_sent_twice_at_a_time(throwbar, secret) -> None:
    assert throwbar("webhook", "test", "1").stdout == "delivery 1 is on its way.\n"
    listed = throwbar("webhook", "deliveries", "1").stdout
    refused = throwbar("webhook", "redeliver", "1", "1")

    assert "webhook:test" in listed
    assert "pending" in listed
    assert refused.exit_code == 1
    assert "still on its way" in refused.stderr
    throwbar("webhook", "disable", "1")
    throwbar("webhook", "enable", "1")
    assert read(throwbar("webhook", "deliveries", "1", "--state", "dropped", "--json"))["items"][0]["id"] == 1
    assert throwbar("webhook", "redeliver", "1", "1").stdout.endswith("is on its way again, as delivery 2.\n")
    page = read(throwbar("webhook", "deliveries", "1", "--limit", "1", "--json"))
    assert ([each["id"] for each in page["items"]], page["next"]) == ([2], 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("create", "x", "http://example.org", "--action", "*"), "url: must start with https://"),
        (("create", "x", "https://example.org", "--action", "rollout:rollback"), "actions.0: is no action"),
        (("create", "x", "https://example.org", "--action", "*", "--in", "nowhere"), "no environment 'nowhere'"),
        (("rotate", "1", "--overlap-hours", "1000"), "overlap_hours: "),
        (("test", "9"), "there is no webhook 9"),
        (("deliveries", "9"), "there is no webhook 9"),
        (("redeliver", "1", "9"), "webhook 1 has no delivery 9"),
        (("delete", "9"), "there is no webhook 9"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(throwbar, secret, words, sentence) -> None:
    refused = throwbar("webhook", *words)

    assert refused.exit_code == 1
    assert sentence in refused.stderr
    assert refused.stdout == ""
