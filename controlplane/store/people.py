"""People, their roles, sessions and sign-in links. Secrets come and are kept as hashes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from controlplane.domain.access import Person, Role
from controlplane.domain.errors import NotFound
from controlplane.store.tables import memberships, people, sessions, sign_in_links


class People:
    """Who may sign in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, email: str, now: datetime) -> Person:
        self._connection.execute(insert(people).values(email=email, failed_sign_ins=0, created_at=now))
        return self.by_email(email)

    def get(self, person_id: int) -> Person:
        """Raises NotFound."""
        return self._person(self._connection.execute(select(people).where(people.c.id == person_id)).one_or_none())

    def by_email(self, email: str) -> Person:
        """Raises NotFound."""
        return self._person(self._connection.execute(select(people).where(people.c.email == email)).one_or_none())

    def exists(self, email: str) -> bool:
        return self._connection.execute(select(people.c.id).where(people.c.email == email)).first() is not None

    def all(self) -> list[Person]:
        return [self._person(row) for row in self._connection.execute(select(people).order_by(people.c.email))]

    def password_hash(self, person_id: int) -> str | None:
        return self._connection.execute(select(people.c.password_hash).where(people.c.id == person_id)).scalar_one()

    def set_password_hash(self, person_id: int, hashed: str) -> None:
        self._connection.execute(update(people).where(people.c.id == person_id).values(password_hash=hashed))

    def set_role(self, person_id: int, environment: str, role: Role | None) -> None:
        """None takes the role away."""
        here = (memberships.c.person_id == person_id) & (memberships.c.environment == environment)
        self._connection.execute(delete(memberships).where(here))
        if role:
            values = {"person_id": person_id, "environment": environment, "role": role.value}
            self._connection.execute(insert(memberships).values(values))

    def failures(self, person_id: int) -> tuple[int, datetime | None]:
        """Failed sign-ins since the last good one, and when the newest was."""
        columns = (people.c.failed_sign_ins, people.c.last_failed_at)
        row = self._connection.execute(select(*columns).where(people.c.id == person_id)).one()
        return row.failed_sign_ins, row.last_failed_at

    def set_failures(self, person_id: int, number: int, at: datetime | None) -> None:
        values = {"failed_sign_ins": number, "last_failed_at": at}
        self._connection.execute(update(people).where(people.c.id == person_id).values(values))

    def open_session(self, hashed: str, person_id: int, now: datetime, expires_at: datetime) -> None:
        values = {"hash": hashed, "person_id": person_id, "created_at": now, "expires_at": expires_at}
        self._connection.execute(insert(sessions).values(values))

    def in_session(self, hashed: str, now: datetime) -> Person | None:
        query = select(sessions.c.person_id).where(sessions.c.hash == hashed, sessions.c.expires_at > now)
        person_id = self._connection.execute(query).scalar_one_or_none()
        if person_id is None:
            return None
        person = self.get(person_id)
        return None if person.disabled_at else person

    def close_session(self, hashed: str) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.hash == hashed))

    def close_sessions(self, person_id: int) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.person_id == person_id))

    def add_link(self, hashed: str, person_id: int, expires_at: datetime) -> None:
        self._connection.execute(insert(sign_in_links).values(hash=hashed, person_id=person_id, expires_at=expires_at))

    def use_link(self, hashed: str, now: datetime) -> Person | None:
        """The person of a link that was never used and is not too old; used from now on."""
        usable = (
            (sign_in_links.c.hash == hashed) & sign_in_links.c.used_at.is_(None) & (sign_in_links.c.expires_at > now)
        )
        if self._connection.execute(update(sign_in_links).where(usable).values(used_at=now)).rowcount != 1:
            return None
        query = select(sign_in_links.c.person_id).where(sign_in_links.c.hash == hashed)
        person = self.get(self._connection.execute(query).scalar_one())
        return None if person.disabled_at else person

    def forget_expired(self, now: datetime) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        self._connection.execute(delete(sign_in_links).where(sign_in_links.c.expires_at <= now))

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
