"""Tokens: what is kept of them is a hash; whoever reads the database cannot use them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from controlplane.domain.access import Person, Role, Token, TokenKind
from controlplane.domain.errors import NotFound
from controlplane.store.access_tables import tokens
from controlplane.store.people import People
from controlplane.store.tables import LARGEST_ID, environments


class Tokens:
    """The tokens of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._people = People(connection)

    def add(self, token: Token, environment_id: int | None) -> Token:
        """The token with its id; the id given is passed over."""
        names = ("name", "hash", "hint", "created_at", "created_by", "expires_at")
        values: dict[str, Any] = {name: getattr(token, name) for name in names}
        values["kind"], values["role"] = token.kind.value, token.role.value if token.role else None
        values["owner_id"] = token.owner.id if token.owner else None
        result = self._connection.execute(insert(tokens).values(values | {"environment_id": environment_id}))
        (token_id,) = result.inserted_primary_key or (0,)
        return self.get(token_id)

    def get(self, token_id: int) -> Token:
        """Raises NotFound."""
        row = self._connection.execute(_select().where(tokens.c.id == min(token_id, LARGEST_ID))).one_or_none()
        if row is None:
            message = f"there is no token {token_id}"
            raise NotFound(message)
        return self._owned(row)

    def by_hash(self, hashed: str) -> Token | None:
        row = self._connection.execute(_select().where(tokens.c.hash == hashed)).one_or_none()
        return self._owned(row) if row else None

    def _owned(self, row: Any) -> Token:  # noqa: ANN401 - a row of `_select`
        return _token(row, {} if row.owner_id is None else {row.owner_id: self._people.get(row.owner_id)})

    def all(self) -> list[Token]:
        """By id."""
        rows = self._connection.execute(_select().order_by(tokens.c.id)).all()
        owned = any(row.owner_id is not None for row in rows)
        people = {each.id: each for each in self._people.all()} if owned else {}
        return [_token(row, people) for row in rows]

    def of(self, person: Person) -> list[Token]:
        """Somebody's own, by id."""
        rows = self._connection.execute(_select().where(tokens.c.owner_id == person.id).order_by(tokens.c.id))
        return [_token(row, {person.id: person}) for row in rows]

    def revoke(self, token_id: int, now: datetime) -> None:
        self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=now))

    def mark_used(self, token_ids: Iterable[int], now: datetime) -> None:
        self._connection.execute(update(tokens).where(tokens.c.id.in_(list(token_ids))).values(last_used_at=now))


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's Select of a join
    joined = tokens.outerjoin(environments, environments.c.id == tokens.c.environment_id)
    return select(tokens, environments.c.name.label("environment")).select_from(joined)


def _token(row: Any, people: Mapping[int, Person]) -> Token:  # noqa: ANN401 - a row of `_select`
    names = ("id", "name", "environment", "hash", "hint", "created_at", "created_by")
    instants = ("expires_at", "last_used_at", "revoked_at")
    role = Role(row.role) if row.role else None
    given = {name: getattr(row, name) for name in (*names, *instants)}
    return Token(kind=TokenKind(row.kind), role=role, owner=people.get(row.owner_id), **given)
