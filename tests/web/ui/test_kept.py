"""A session that ends in the middle of a form: what was typed waits behind the sign-in, and is sent by a person only."""

import re
from datetime import timedelta
from html import unescape

import pytest

from controlplane.usecases import flags, people, signing_in
from controlplane.usecases.changing import Place
from tests.builders import NOW, a_cause
from tests.web.ui.visitor import FLAG, Visitor, visible

PASSWORD = "correct horse battery"
BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture
def signed_out(store, flag, operator, clock) -> Visitor:
    """An operator with a form open, whose session is over."""
    person = people.find_person(store, "operator@example.org")
    people.set_password(store, person.id, PASSWORD, a_cause())
    clock.go_on(timedelta(days=15))
    return operator


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found if name != "csrf_token"}


def test_what_was_typed_comes_along_through_a_wrong_password_and_is_sent_by_a_click(store, signed_out) -> None:
    typed = {"csrf_token": "old", "percent": "5", "expected": "1", "reason": 'first "customers" & all'}
    asked = signed_out.client.post(f"{FLAG}/operations/echo", data=typed)
    assert asked.status_code == 401
    assert "your session is over" in visible(asked).lower()

    wrong = signed_out.client.post(
        "/sign-in", data={**hidden(asked.text), "email": "operator@example.org", "password": "x"}
    )
    who = {"email": "operator@example.org", "password": PASSWORD}
    again = signed_out.client.post("/sign-in", data={**hidden(wrong.text), **who})
    assert 'first "customers" & all' in visible(again)
    assert flags.get_flag(store, BRIDGE).operations["echo"].share == 0

    form = re.search(r'<form method="post" action="([^"]+)" class="row">(.*?)</form>', again.text, flags=re.DOTALL)
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', form.group(2))
    sent = signed_out.client.post(form.group(1), data={**hidden(form.group(2)), "csrf_token": token.group(1)})

    assert sent.status_code == 303
    assert flags.get_flag(store, BRIDGE).operations["echo"].share == 5000


def test_a_form_of_an_earlier_session_is_shown_to_whoever_is_signed_in_now(flag, operator) -> None:
    asked = operator.client.post(f"{FLAG}/disable", data={"csrf_token": "0" * 64, "reason": "3 a.m."})

    assert asked.status_code == 403
    assert "3 a.m." in visible(asked)
    assert operator.post(f"{FLAG}/disable", **hidden(asked.text)).status_code == 303


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.example/x", "//evil.example", "/\\evil.example", "/→", ""),
        *("/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", "/\x00/evil.example"),
    ],
)
def test_nobody_is_sent_to_another_site(signed_out, to) -> None:
    who = {"email": "operator@example.org", "password": PASSWORD}

    for field in ("kept_to", "then"):
        answer = signed_out.client.post("/sign-in", data={**who, field: to, "kept.reason": "x"})

        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_whoever_follows_a_link_comes_out_where_it_leads_to(signed_out) -> None:
    led = signed_out.get(f"{FLAG}?range=6h").headers["Location"]
    wrong = signed_out.client.post(
        "/sign-in", data={**hidden(signed_out.get(led).text), "email": "operator@example.org"}
    )

    who = {"email": "operator@example.org", "password": PASSWORD}
    answer = signed_out.client.post("/sign-in", data={**hidden(wrong.text), **who})

    assert answer.headers["Location"] == f"{FLAG}?range=6h"


def test_what_is_carried_along_brings_no_secret_of_its_own(signed_out) -> None:
    who = {"email": "operator@example.org", "password": PASSWORD}
    foreign = {
        "kept_to": f"{FLAG}/disable",
        "kept.csrf_token": "0" * 64,
        "kept.password": "planted",
        "kept.reason": "x",
    }

    asked = signed_out.client.post("/sign-in", data={**who, **foreign})

    assert asked.status_code == 200
    assert "planted" not in asked.text
    assert "0" * 64 not in asked.text


def test_passwords_are_not_carried_along(signed_out) -> None:
    typed = {"current": "an old secret", "password": "a new secret too"}
    asked = signed_out.client.post("/profile/password", data=typed)

    assert asked.status_code == 401
    assert "secret" not in asked.text


def test_a_part_of_a_page_is_told_so_without_being_led_away(signed_out) -> None:
    asked = signed_out.client.post(f"{FLAG}/disable", data={"reason": "x"}, headers={"HX-Request": "true"})

    assert asked.status_code == 401
    assert {"HX-Redirect", "Location"}.isdisjoint(name for name, _ in asked.headers)


def test_a_profile_lists_sessions_and_ends_any_but_this_one(store, app, operator) -> None:
    link = signing_in.create_link(store, "operator@example.org", a_cause())
    phone = Visitor(app, signing_in.use_link(store, link, NOW, agent="A phone's browser").secret)
    assert "A phone's browser" in operator.text("/profile")

    (address,) = re.findall(r'action="(/profile/sessions/[0-9a-f]{16}/end)"', operator.get("/profile").text)
    operator.done(address)

    assert phone.get("/profile").headers["Location"] == "/sign-in?then=%2Fprofile"
    assert operator.get("/profile").status_code == 200
    assert operator.post(address).status_code == 404


def test_nobody_ends_the_session_of_somebody_else(store, operator, admin) -> None:
    (theirs,) = signing_in.list_sessions(store, people.find_person(store, "operator@example.org").id, NOW)

    assert admin.post(f"/profile/sessions/{theirs.handle}/end").status_code == 404
    assert admin.post("/profile/sessions/%25/end").status_code == 404
    assert operator.get("/profile").status_code == 200


def test_a_session_is_seen_to_the_minute(store, operator, clock) -> None:
    person = people.find_person(store, "operator@example.org")
    clock.go_on(timedelta(seconds=61))
    operator.get("/profile")
    clock.go_on(timedelta(seconds=30))
    operator.get("/profile")

    (seen,) = signing_in.list_sessions(store, person.id, clock())
    assert seen.seen_at == NOW + timedelta(seconds=61)
