"""Whose token is it? Looked up in memory, so that a poll costs no query; renewed when a token is made or revoked."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from controlplane.clock import Clock
from controlplane.domain.access import Token, TokenKind
from web.edge.http import problem

CHALLENGE = (b"www-authenticate", b'Bearer realm="throwbar"')
INVALID = (b"www-authenticate", b'Bearer realm="throwbar", error="invalid_token"')
TOO_SMALL = (b"www-authenticate", b'Bearer realm="throwbar", error="insufficient_scope"')


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who may come in: the environment, and by which token (its hash and its number)."""

    environment: str
    token_hash: str
    token_id: int


class TokenTable:
    """Every token by its hash. `used` gathers the ids of those that opened a door."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._numbers: dict[int, str] = {}
        self.used: set[int] = set()

    def replace(self, tokens: Collection[Token]) -> None:
        self._tokens = {each.hash: each for each in tokens}
        self._numbers = {each.id: each.hash for each in tokens}

    def is_valid(self, token_hash: str) -> bool:
        token = self._tokens.get(token_hash)
        return token is not None and token.is_valid(self._clock())

    def admit(self, authorization: bytes | None) -> Visitor:
        """Raises Problem 401 without a valid token, 403 with one that is not for services."""
        scheme, _, secret = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not secret:
            raise problem(401, "send the SDK token of your environment: Authorization: Bearer tb_sdk_…", CHALLENGE)
        return self._known(hashlib.sha256(secret.strip()).hexdigest())

    def numbered(self, token_id: int) -> Visitor | None:
        """Whom a token would let in that is not shown but named. It counts as used once the caller believes it."""
        token = self._tokens.get(self._numbers.get(token_id, ""))
        return _visitor_of(token) if token and token.is_valid(self._clock()) else None

    def _known(self, hashed: str) -> Visitor:
        token = self._tokens.get(hashed)
        if token is None or not token.is_valid(self._clock()):
            raise problem(401, "this token is not valid: it is unknown, revoked or expired", INVALID)
        visitor = _visitor_of(token)
        if visitor is None:
            raise problem(403, "this is an admin token: services need a token of the kind sdk", TOO_SMALL)
        self.used.add(token.id)
        return visitor


def _visitor_of(token: Token) -> Visitor | None:
    """None where it is not for services."""
    if token.kind is not TokenKind.SDK or token.environment is None:
        return None
    return Visitor(token.environment, token.hash, token.id)


def credentials_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """What a client of another make shows: `Authorization: Bearer`, or the same token as `X-API-Key`."""
    key = headers.get(b"x-api-key")
    return headers.get(b"authorization") or (b"Bearer " + key if key else None)
