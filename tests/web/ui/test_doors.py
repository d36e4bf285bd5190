"""Who gets in, how, and what does each role see? And does a form of another session change nothing?"""

from datetime import timedelta

import pytest
from flask import Flask

from controlplane.domain.access import Role
from controlplane.store import Store
from controlplane.usecases import flags, people, signing_in
from controlplane.usecases.changing import Place
from tests.builders import NOW, a_cause
from tests.web.ui.visitor import FLAG, FLAGS, Visitor, visible

PASSWORD = "correct horse battery"
TO_SIGN_IN = "/sign-in?then=%2Fenvironments%2Fproduction%2Fflags"
BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def link(store: Store) -> str:
    people.add_person(store, "ann@example.org", Role.ADMIN, a_cause())
    return "/sign-in/" + signing_in.create_link(store, "ann@example.org", a_cause())


def test_a_stranger_is_led_to_the_sign_in(stranger: Visitor) -> None:
    assert stranger.get(FLAGS).headers["Location"] == TO_SIGN_IN


def test_looking_at_a_link_does_not_use_it_up(stranger: Visitor, link: str) -> None:
    for _ in range(3):
        assert stranger.get(link).status_code == 200

    assert stranger.client.post(link).headers["Location"] == "/profile/first-password"
    assert stranger.get("/").headers["Location"] == FLAGS


def test_a_link_works_once(app: Flask, stranger: Visitor, link: str) -> None:
    stranger.client.post(link)

    again = app.test_client().post(link)

    assert again.status_code == 401
    assert "was used already" in visible(again)


def test_a_first_password_can_be_chosen_or_left_for_later(stranger: Visitor, link: str) -> None:
    stranger.client.post(link)

    assert "Later" in stranger.text("/profile/first-password")
    assert "Your password is set" in visible(_follow(stranger, stranger.post("/profile/password", password=PASSWORD)))


def test_a_link_leads_on_to_the_page_that_was_asked_for(stranger: Visitor, link: str) -> None:
    stranger.get(stranger.get(FLAG).headers["Location"])
    stranger.client.post(link)

    assert f'href="{FLAG}">Later' in stranger.get("/profile/first-password").text
    assert stranger.post("/profile/password", password=PASSWORD).headers["Location"] == FLAG


def test_who_has_a_password_is_led_on_at_once_and_only_once(store: Store, stranger: Visitor, link: str) -> None:
    ann = people.find_person(store, "ann@example.org")
    people.set_password(store, ann.id, PASSWORD, a_cause())
    links = ["/sign-in/" + signing_in.create_link(store, ann.email, a_cause()) for _ in range(2)]
    stranger.get(f"/sign-in?then={FLAG}")

    assert [stranger.client.post(each).headers["Location"] for each in links] == [FLAG, "/"]


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/\t/evil.example", "javascript:alert(1)"])
def test_a_link_leads_to_no_other_site(stranger: Visitor, link: str, then: str) -> None:
    stranger.client.get("/sign-in", query_string={"then": then})
    stranger.client.post(link)

    assert 'href="/">Later' in stranger.get("/profile/first-password").text


def test_a_way_is_forgotten_after_a_day(stranger: Visitor, link: str, clock) -> None:
    stranger.get(f"/sign-in?then={FLAG}")
    clock.go_on(timedelta(hours=23))
    stranger.client.post(link)
    assert f'href="{FLAG}">Later' in stranger.get("/profile/first-password").text

    clock.go_on(timedelta(hours=2))

    assert 'href="/">Later' in stranger.get("/profile/first-password").text


def _follow(visitor: Visitor, response):
    while response.status_code in (302, 303):
        response = visitor.get(response.headers["Location"])
    return response


def test_a_password_that_is_too_short_is_told_at_its_field(stranger: Visitor, link: str) -> None:
    stranger.client.post(link)

    refused = stranger.post("/profile/password", password="short")

    assert refused.status_code == 422
    assert "needs at least 12 characters" in visible(refused)


def test_changing_a_password_takes_the_old_one(store: Store, stranger: Visitor, link: str) -> None:
    stranger.client.post(link)
    stranger.post("/profile/password", password=PASSWORD)

    refused = stranger.post("/profile/password", current="wrong", password=PASSWORD + "!")
    changed = stranger.post("/profile/password", current=PASSWORD, password=PASSWORD + "!")

    assert (refused.status_code, changed.status_code) == (422, 303)
    assert "is not your password" in visible(refused)


def test_a_wrong_password_says_so_and_keeps_the_address(store: Store, stranger: Visitor) -> None:
    refused = stranger.client.post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})

    assert refused.status_code == 401
    assert "password is wrong" in visible(refused)
    assert 'value="ann@example.org"' in refused.text


def test_too_many_tries_have_to_wait(stranger: Visitor) -> None:
    for _ in range(6):
        stranger.client.post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})

    refused = stranger.client.post("/sign-in", data={"email": "ann@example.org", "password": "wrong"})

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_signing_out_ends_the_session_and_everywhere_ends_all(store: Store, app: Flask, admin: Visitor) -> None:
    other = signing_in.use_link(store, signing_in.create_link(store, "admin@example.org", a_cause()), NOW)

    assert admin.post("/profile/sign-out-everywhere").headers["Location"] == "/sign-in"

    assert signing_in.session_of(store, other.secret, NOW) is None
    assert admin.get(FLAGS).headers["Location"] == TO_SIGN_IN


def test_signing_out_leaves_other_sessions_alone(store: Store, admin: Visitor) -> None:
    other = signing_in.use_link(store, signing_in.create_link(store, "admin@example.org", a_cause()), NOW)

    admin.post("/sign-out")

    assert signing_in.session_of(store, other.secret, NOW)
    assert admin.get(FLAGS).headers["Location"] == TO_SIGN_IN


def test_a_session_ends_by_itself(clock, operator: Visitor) -> None:
    clock.go_on(timedelta(days=15))

    assert operator.get(FLAGS).headers["Location"] == TO_SIGN_IN


@pytest.mark.parametrize(
    "path",
    [
        f"{FLAG}/disable",
        f"{FLAG}/rollout/start",
        f"{FLAG}/edit",
        "/tokens",
        "/sign-out",
        "/environments/production/start",
    ],
)
def test_a_form_without_the_sessions_token_changes_nothing(store: Store, flag: None, admin: Visitor, path: str) -> None:
    refused = admin.client.post(path, data={"csrf_token": "0" * 64})

    assert refused.status_code == 403
    assert "Nothing was sent yet" in visible(refused)
    assert flags.get_flag(store, BRIDGE).version == 1


@pytest.mark.parametrize(
    "path",
    [
        f"{FLAG}/disable",
        f"{FLAG}/operations/echo",
        f"{FLAG}/rollout/rollback",
        f"{FLAG}/edit",
        f"{FLAG}/revert",
        "/tokens",
        "/people",
    ],
)
def test_a_viewer_may_not_change_anything(store: Store, flag: None, viewer: Visitor, path: str) -> None:
    refused = viewer.post(path, percent="5")

    assert refused.status_code == 403
    assert flags.get_flag(store, BRIDGE).version == 1


def test_a_viewer_sees_no_button_that_would_be_refused(flag: None, viewer: Visitor) -> None:
    for path in (FLAGS, FLAG):
        text = viewer.get(path).text
        assert 'method="post"' not in text.replace('method="post" action="/sign-out"', "")
        assert "/tokens" not in text
        assert "/people" not in text


def test_an_operator_sees_the_switches_and_no_administration(flag: None, operator: Visitor) -> None:
    text = operator.get(FLAG).text

    assert f'action="{FLAG}/disable"' in text
    assert "/people" not in text
    assert operator.get("/people").status_code == 403
