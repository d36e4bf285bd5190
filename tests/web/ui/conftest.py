"""People of each role in front of the pages, and the flag they look at."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask import Flask

from controlplane.domain.access import Role
from controlplane.store import Store
from controlplane.usecases import flags, passwords, people, signing_in
from tests.builders import NOW, a_cause, a_flag_document
from tests.web.ui.visitor import Visitor


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with the smallest costs: what is tested here is not how slow it is."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    monkeypatch.setattr(passwords, "_DUMMY", quick.hash("nobody knows"))


@pytest.fixture
def flag(store: Store) -> None:
    """The worked example, enabled, at 0 %."""
    flags.create_flag(store, "production", a_flag_document(), a_cause())


@pytest.fixture
def signed_in(store: Store, app: Flask) -> Callable[[Role], Visitor]:
    """Somebody with a role everywhere and no password."""

    def enter(role: Role) -> Visitor:
        person = people.add_person(store, f"{role}@example.org", role, a_cause())
        link = signing_in.create_link(store, person.email, a_cause())
        return Visitor(app, signing_in.use_link(store, link, NOW).secret)

    return enter


@pytest.fixture
def viewer(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.VIEWER)


@pytest.fixture
def operator(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.OPERATOR)


@pytest.fixture
def admin(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.ADMIN)
