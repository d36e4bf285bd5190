"""Passwords: kept slowly, never twice alike, and as slow for nobody as for somebody."""

from argon2 import extract_parameters

from controlplane.usecases import passwords
from controlplane.usecases.passwords import hash_password, matches

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
