"""Passwords: kept slowly, never twice alike, and as slow for nobody as for somebody."""

from contextlib import ExitStack

import pytest
from argon2 import extract_parameters

from controlplane.domain.errors import NotSignedIn, TooManyTries
from controlplane.usecases import passwords
from controlplane.usecases.passwords import AT_ONCE, a_place, hash_password, matches
from controlplane.usecases.signing_in import sign_in
from tests.builders import NOW

PASSWORD = "correct horse battery"


def test_a_password_is_kept_slowly_and_never_twice_alike() -> None:
    one, two = hash_password(PASSWORD), hash_password(PASSWORD)

    assert one.startswith("$argon2id$")
    assert extract_parameters(one).memory_cost >= 64 * 1024
    assert one != two
    assert matches(PASSWORD, one)
    assert not matches("wrong horse battery", one)


def test_nobody_has_a_password_that_matches_and_costs_as_much_to_try() -> None:
    assert not matches(PASSWORD, None)
    assert not matches(PASSWORD, "no hash")
    assert extract_parameters(passwords._DUMMY) == extract_parameters(hash_password(PASSWORD))


def test_so_many_passwords_are_looked_at_at_once_and_who_finds_no_place_has_not_tried(monkeypatch, store) -> None:
    monkeypatch.setattr(passwords, "LONGEST_QUEUE", 0)
    for _ in range(10):
        with ExitStack() as taken:
            for _ in range(AT_ONCE):
                taken.enter_context(a_place())
            with pytest.raises(TooManyTries, match=r"try again in 1 second$"):
                sign_in(store, "ann@example.org", PASSWORD, NOW)

    with pytest.raises(NotSignedIn):  # every place is free again, and none of the ten counts against her
        sign_in(store, "ann@example.org", PASSWORD, NOW)
