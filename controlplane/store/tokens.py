"""Tokens: what is kept of them is a hash; whoever reads the database cannot use them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from controlplane.domain.access import Role, Token, TokenKind
from controlplane.domain.errors import NotFound
from controlplane.store.access_tables import tokens
from controlplane.store.tables import LARGEST_ID, environments


class Tokens:
    """The tokens of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: Token, environment_id: int | None) -> Token:
        """The token with its id; the id given is passed over."""
        names = ("name", "hash", "hint", "created_at", "created_by", "expires_at")
        values: dict[str, Any] = {name: getattr(token, name) for name in names}
        values["kind"], values["role"] = token.kind.value, token.role.value if token.role else None
        result = self._connection.execute(insert(tokens).values(values | {"environment_id": environment_id}))
        (token_id,) = result.inserted_primary_key or (0,)
        return self.get(token_id)

    def get(self, token_id: int) -> Token:
        """Raises NotFound."""
        row = self._connection.execute(_select().where(tokens.c.id == min(token_id, LARGEST_ID))).one_or_none()
        if row is None:
            message = f"there is no token {token_id}"
            raise NotFound(message)
        return _token(row)

    def by_hash(self, hashed: str) -> Token | None:
        row = self._connection.execute(_select().where(tokens.c.hash == hashed)).one_or_none()
        return _token(row) if row else None

    def all(self) -> list[Token]:
        return [_token(row) for row in self._connection.execute(_select().order_by(tokens.c.id))]

    def revoke(self, token_id: int, now: datetime) -> None:
        self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=now))

    def mark_used(self, token_ids: Iterable[int], now: datetime) -> None:
        self._connection.execute(update(tokens).where(tokens.c.id.in_(list(token_ids))).values(last_used_at=now))


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's Select of a join
    joined = tokens.outerjoin(environments, environments.c.id == tokens.c.environment_id)
    return select(tokens, environments.c.name.label("environment")).select_from(joined)


def _token(row: Any) -> Token:  # noqa: ANN401 - a row of `_select`
    names = ("id", "name", "environment", "hash", "hint", "created_at", "created_by")
    instants = ("expires_at", "last_used_at", "revoked_at")
    role = Role(row.role) if row.role else None
    return Token(kind=TokenKind(row.kind), role=role, **{name: getattr(row, name) for name in (*names, *instants)})
