"""People and their roles. Passwords come and are kept as hashes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from controlplane.domain.access import Person, Role
from controlplane.domain.errors import NotFound
from controlplane.store.access_tables import memberships, people
from controlplane.store.tables import LARGEST_ID


class People:
    """Who may sign in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, email: str, now: datetime) -> Person:
        self._connection.execute(insert(people).values(email=email, created_at=now))
        return self.by_email(email)

    def get(self, person_id: int) -> Person:
        """Raises NotFound."""
        found = select(people).where(people.c.id == min(person_id, LARGEST_ID))
        return self._person(self._connection.execute(found).one_or_none())

    def by_email(self, email: str) -> Person:
        """Raises NotFound."""
        return self._person(self._connection.execute(select(people).where(people.c.email == email)).one_or_none())

    def exists(self, email: str) -> bool:
        return self._connection.execute(select(people.c.id).where(people.c.email == email)).first() is not None

    def all(self) -> list[Person]:
        return [self._person(row) for row in self._connection.execute(select(people).order_by(people.c.email))]

    def anyone_has_password(self) -> bool:
        return (
            self._connection.execute(select(people.c.id).where(people.c.password_hash.is_not(None))).first() is not None
        )

    def password_hash(self, person_id: int) -> str | None:
        query = select(people.c.password_hash).where(people.c.id == person_id)
        found: str | None = self._connection.execute(query).scalar_one()
        return found

    def set_password_hash(self, person_id: int, hashed: str) -> None:
        self._connection.execute(update(people).where(people.c.id == person_id).values(password_hash=hashed))

    def set_disabled(self, person_id: int, at: datetime | None) -> None:
        """None lets them in again."""
        self._connection.execute(update(people).where(people.c.id == person_id).values(disabled_at=at))

    def set_role(self, person_id: int, environment: str, role: Role | None) -> None:
        """None takes the role away."""
        here = (memberships.c.person_id == person_id) & (memberships.c.environment == environment)
        self._connection.execute(delete(memberships).where(here))
        if role:
            values = {"person_id": person_id, "environment": environment, "role": role.value}
            self._connection.execute(insert(memberships).values(values))

    def _person(self, row: Any) -> Person:  # noqa: ANN401 - a row of `people`
        if row is None:
            message = "there is no such person"
            raise NotFound(message)
        roles = self._connection.execute(select(memberships).where(memberships.c.person_id == row.id))
        return Person(
            id=row.id,
            email=row.email,
            roles={each.environment: Role(each.role) for each in roles},
            has_password=row.password_hash is not None,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
        )
