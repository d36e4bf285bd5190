"""The page of people: shutting somebody out, and letting them in again."""

import re

from controlplane.domain.access import Role
from controlplane.usecases import people
from tests.builders import a_cause
from tests.web.ui.visitor import visible


def test_somebody_is_shut_out_on_the_page_and_let_in_again(store, admin, operator) -> None:
    person = people.find_person(store, "operator@example.org")

    out = admin.done(f"/people/{person.id}/disable")

    assert "operator@example.org is disabled: every session, link and token of theirs has ended." in out
    assert re.search(r"operator@example\.org no password yet · since [^·]* Disabled just now", out)
    assert operator.get("/profile").status_code == 303

    assert "operator@example.org may sign in again." in admin.done(f"/people/{person.id}/enable")


def test_one_cannot_shut_oneself_out(store, admin) -> None:
    own = people.find_person(store, "admin@example.org")
    people.add_person(store, "other@example.org", Role.ADMIN, a_cause())

    page = admin.get("/people").text
    refused = admin.post(f"/people/{own.id}/disable")

    assert f"/people/{own.id}/disable" not in page
    assert refused.status_code == 409
    assert "Nothing was changed: nobody can disable themselves: ask another administrator." in visible(refused)


def test_a_link_for_somebody_disabled_is_refused_in_a_sentence(store, admin, operator) -> None:
    person = people.find_person(store, "operator@example.org")
    admin.done(f"/people/{person.id}/disable")

    refused = admin.post("/people/link", email=person.email)

    assert refused.status_code == 409
    assert "operator@example.org is disabled: enable them first" in visible(refused)
