"""The other rooms: first hour, audit, instances, tokens, people. Does each say what is there, and what to do?"""

import re

from controlplane.domain.access import Role
from controlplane.store import Store
from controlplane.usecases import flags, people, tokens
from controlplane.usecases.changing import Place
from controlplane.usecases.telemetry import record_reports
from tests.builders import NOW, a_cause, a_report
from tests.web.ui.visitor import FLAG, FLAGS, Visitor, visible

ROOM = "/environments/production"
BRIDGE = Place("production", "dspex-bridge")


def test_the_first_hour_puts_url_and_token_into_the_snippet_once(store: Store, flag: None, admin: Visitor) -> None:
    page = admin.post(f"{ROOM}/start")

    secret = re.search(r"THROWBAR_TOKEN=(tb_sdk_\S+)", page.text)
    assert secret
    assert tokens.authenticate(store, secret.group(1), NOW).environment == "production"
    assert "export THROWBAR_URL=http://localhost" in page.text
    assert 'client.migration("dspex-bridge").operation("echo"' in visible(page)
    assert secret.group(1) not in admin.get(f"{ROOM}/start").text


def test_an_operator_reads_the_first_hour_and_asks_an_administrator_for_the_token(operator: Visitor) -> None:
    assert "An administrator can make one for you" in operator.text(f"{ROOM}/start")
    assert operator.post(f"{ROOM}/start").status_code == 403


def test_waiting_turns_green_with_the_first_report_and_asks_no_more(store: Store, viewer: Visitor) -> None:
    waiting = viewer.get(f"{ROOM}/start/heard")
    assert "Waiting for your first report" in waiting.text
    assert 'hx-trigger="every 2s' in waiting.text

    record_reports(store, [a_report()], NOW)

    heard = viewer.get(f"{ROOM}/start/heard")
    assert "The first report is here" in heard.text
    assert "hx-trigger" not in heard.text


def test_without_scripts_the_first_hour_looks_again_by_itself(viewer: Visitor) -> None:
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in viewer.get(f"{ROOM}/start").text


def test_instances_tell_whether_they_obey_the_newest_snapshot(store: Store, flag: None, viewer: Visitor) -> None:
    record_reports(store, [a_report(instance="i-7")], NOW)

    assert "bridge-api i-7 throwbar-python/0.1.0 version 0 just now Behind" in viewer.text(f"{ROOM}/instances")
    assert "0 of 1 instance on version" in viewer.text(FLAG)


def test_the_audit_is_filtered_and_told_in_words(store: Store, flag: None, viewer: Visitor) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause(reason="first customers"))

    told = viewer.text(f"{ROOM}/audit?action=share:set&flag=dspex-bridge")

    assert "ann@example.org set a percent dspex-bridge first customers" in told
    assert "operations › echo › percent 0 % → 5 %" in told
    assert "created the flag dspex-bridge" not in told


def test_the_audit_goes_on_page_by_page(store: Store, flag: None, viewer: Visitor) -> None:
    for percent in range(1, 60):
        flags.set_operation(store, BRIDGE, "echo", {"percent": percent}, a_cause())

    first = viewer.get(f"{ROOM}/audit")
    older = re.search(r'href="([^"]+before=[^"]+)"', first.text)

    assert older
    assert "created the environment" in viewer.text(older.group(1).replace("&amp;", "&"))


def test_the_chain_is_verified_in_front_of_everybody(store: Store, flag: None, viewer: Visitor) -> None:
    assert "The chain is intact" in viewer.text(f"{ROOM}/audit/verify")

    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_entries SET reason = 'never happened' WHERE flag IS NOT NULL")

    assert "was changed after it was written" in viewer.text(f"{ROOM}/audit/verify")


def test_a_token_is_shown_once_and_can_be_revoked(store: Store, admin: Visitor) -> None:
    made = admin.post("/tokens", name="bridge-api", kind="sdk", environment="production")
    secret = re.search(r"tb_sdk_[\w-]+", made.text)
    assert secret
    token = tokens.authenticate(store, secret.group(), NOW)
    assert secret.group() not in admin.get("/tokens").text

    told = admin.done(f"/tokens/{token.id}/revoke", reason="leaked")

    assert "bridge-api was revoked" in told
    assert tokens.list_tokens(store)[-1].revoked_at


def test_a_token_nobody_could_use_is_refused_at_its_fields(store: Store, admin: Visitor) -> None:
    refused = admin.post("/tokens", name=" ", kind="admin", environment="production", role="")

    assert refused.status_code == 422
    assert 'id="name-wrong"' in refused.text
    assert 'id="role-wrong"' in refused.text
    assert tokens.list_tokens(store) == []


def test_somebody_is_invited_by_a_link_and_given_another_role(store: Store, admin: Visitor) -> None:
    invited = admin.post("/people", email="bob@example.org", role="viewer", environment="production")
    assert re.search(r"http://localhost/sign-in/tb_link_\S+", invited.text)
    bob = people.find_person(store, "bob@example.org")
    assert bob.roles == {"production": Role.VIEWER}

    admin.done(f"/people/{bob.id}/role", role="operator", environment="*")

    assert people.find_person(store, "bob@example.org").role_in("production") is Role.OPERATOR


def test_the_last_administrator_keeps_the_role(admin: Visitor) -> None:
    refused = admin.post("/people/1/role", role="viewer", environment="*")

    assert refused.status_code == 409
    assert "the last administrator" in visible(refused)


def test_a_person_who_is_known_already_is_told_at_the_field(admin: Visitor) -> None:
    refused = admin.post("/people", email="admin@example.org", role="viewer", environment="*")

    assert refused.status_code == 409
    assert 'id="email-wrong"' in refused.text


def test_a_role_somewhere_shows_that_environment_only(store: Store, admin: Visitor, operator: Visitor) -> None:
    assert operator.get("/environments/nowhere/flags").status_code == 404
    assert "production" in operator.text(FLAGS)
