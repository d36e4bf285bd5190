"""Tokens: shown once, kept as hashes, bound to an environment, gone at once when revoked."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.errors import NotFound, NotSignedIn
from controlplane.settings import Settings
from controlplane.usecases.environments import create_environment
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.news import read_news
from controlplane.usecases.tokens import (
    authenticate,
    bootstrap_tokens,
    create_token,
    list_tokens,
    mark_used,
    revoke_token,
)
from tests.builders import NOW, a_cause

SDK = TokenRequest(TokenKind.SDK, "bridge-api")
ADMIN = TokenRequest(TokenKind.ADMIN, "terraform", role=Role.ADMIN)


def test_a_token_is_known_by_its_secret_alone(store) -> None:
    token, secret = create_token(store, SDK, a_cause())

    assert secret.startswith("tb_sdk_")
    assert len(secret) >= 43
    assert authenticate(store, secret, NOW) == token
    for wrong in ("", secret[:-1], secret.upper(), token.hash):
        with pytest.raises(NotSignedIn):
            authenticate(store, wrong, NOW)


def test_whoever_reads_the_database_has_no_token(store) -> None:
    _, secret = create_token(store, SDK, a_cause())

    with store.engine.connect() as connection:
        told = repr(connection.execute(text("SELECT * FROM tokens")).all())
        told += repr(connection.execute(text("SELECT * FROM audit_entries")).all())

    assert secret not in told
    assert secret.removeprefix("tb_sdk_") not in told


def test_an_sdk_token_is_for_production_unless_another_is_named(store) -> None:
    create_environment(store, "staging", a_cause())

    assert create_token(store, SDK, a_cause())[0].environment == "production"
    staging = TokenRequest(TokenKind.SDK, "x", environment="staging")
    assert create_token(store, staging, a_cause())[0].environment == "staging"
    assert list_entries(store, "staging", Filter()).items[0].action == "token:create"


def test_a_token_for_an_environment_that_is_not_there_is_not_made(store) -> None:
    with pytest.raises(NotFound):
        create_token(store, TokenRequest(TokenKind.SDK, "x", environment="nowhere"), a_cause())

    assert list_tokens(store) == []


def test_a_revoked_or_expired_token_opens_nothing(store) -> None:
    revoked, secret = create_token(store, ADMIN, a_cause())
    brief = TokenRequest(TokenKind.ADMIN, "brief", role=Role.VIEWER, expires_at=NOW + timedelta(minutes=1))
    _, expiring = create_token(store, brief, a_cause())

    revoke_token(store, revoked.id, a_cause())

    for gone, at in ((secret, NOW), (expiring, NOW + timedelta(minutes=1))):
        with pytest.raises(NotSignedIn):
            authenticate(store, gone, at)
    assert authenticate(store, expiring, NOW)
    with pytest.raises(NotFound):
        revoke_token(store, 999, a_cause())


def test_every_change_tells_the_other_processes(store) -> None:
    seen = [read_news(store).tokens]
    token, _ = create_token(store, SDK, a_cause())
    seen.append(read_news(store).tokens)
    revoke_token(store, token.id, a_cause())
    seen.append(read_news(store).tokens)
    revoke_token(store, token.id, a_cause())  # gone already: no news, and no second entry

    assert seen == sorted(set(seen))
    assert read_news(store).tokens == seen[-1]
    actions = [each.action for each in list_entries(store, "production", Filter()).items]
    assert actions == ["token:revoke", "token:create", "environment:create"]


def test_the_tokens_of_the_settings_are_made_once_and_stay_revoked(store) -> None:
    given = Settings(bootstrap_admin_token="a-secret-of-sixteen", bootstrap_sdk_token="another-of-sixteen")

    bootstrap_tokens(store, given, NOW)
    bootstrap_tokens(store, given, NOW)
    admin, sdk = list_tokens(store)
    revoke_token(store, sdk.id, a_cause())
    bootstrap_tokens(store, given, NOW)

    assert len(list_tokens(store)) == 2
    assert authenticate(store, "a-secret-of-sixteen", NOW).role_in("production") is Role.ADMIN
    assert (sdk.kind, sdk.environment, admin.environment) == (TokenKind.SDK, "production", None)
    with pytest.raises(NotSignedIn):
        authenticate(store, "another-of-sixteen", NOW)


def test_use_is_remembered_to_the_minute(store) -> None:
    token, secret = create_token(store, ADMIN, a_cause())

    mark_used(store, [token], NOW)
    again = authenticate(store, secret, NOW)
    mark_used(store, [again], NOW + timedelta(seconds=59))
    assert authenticate(store, secret, NOW).last_used_at == NOW
    mark_used(store, [again], NOW + timedelta(seconds=60))
    assert authenticate(store, secret, NOW).last_used_at == NOW + timedelta(seconds=60)
