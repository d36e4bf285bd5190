"""Sessions, sign-in links and failed tries: what signing in leaves behind. Secrets come and are kept as hashes."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from controlplane.domain.access import OpenSession
from controlplane.store.access_tables import sessions, sign_in_failures, sign_in_links

HANDLE = 16  # characters of a hash that tell sessions apart and open nothing
LONGEST_AGENT = 200
FORGIVEN_AFTER = timedelta(hours=1)  # longer than the longest wait


class SigningIn:
    """Who is signed in, who may by a link, and who tried in vain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_session(self, hashed: str, person_id: int, now: datetime, expires_at: datetime, agent: str) -> None:
        values = {"hash": hashed, "person_id": person_id, "created_at": now, "expires_at": expires_at}
        self._connection.execute(insert(sessions).values(values | {"agent": agent[:LONGEST_AGENT], "seen_at": now}))

    def in_session(self, hashed: str, now: datetime) -> tuple[int, datetime | None] | None:
        """The id of the person whose session this is, if it is not over, and when it was last seen."""
        query = select(sessions.c.person_id, sessions.c.seen_at)
        row = self._connection.execute(
            query.where(sessions.c.hash == hashed, sessions.c.expires_at > now)
        ).one_or_none()
        return (row.person_id, row.seen_at) if row else None

    def mark_seen(self, hashed: str, now: datetime) -> None:
        self._connection.execute(update(sessions).where(sessions.c.hash == hashed).values(seen_at=now))

    def sessions_of(self, person_id: int, now: datetime) -> list[OpenSession]:
        """Those that are not over, the newest first."""
        query = select(sessions).where(sessions.c.person_id == person_id, sessions.c.expires_at > now)
        rows = self._connection.execute(query.order_by(sessions.c.created_at.desc(), sessions.c.hash))
        return [
            OpenSession(row.hash[:HANDLE], row.agent or "", row.created_at, row.seen_at, row.expires_at) for row in rows
        ]

    def close_session_of(self, person_id: int, handle: str) -> int:
        """How many ended: one, or none that is theirs. `handle` is the beginning of the hash."""
        own = (sessions.c.person_id == person_id) & sessions.c.hash.startswith(handle, autoescape=True)
        return self._connection.execute(delete(sessions).where(own)).rowcount

    def close_session(self, hashed: str) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.hash == hashed))

    def close_sessions(self, person_id: int) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.person_id == person_id))

    def add_link(self, hashed: str, person_id: int, expires_at: datetime) -> None:
        self._connection.execute(insert(sign_in_links).values(hash=hashed, person_id=person_id, expires_at=expires_at))

    def use_link(self, hashed: str, now: datetime) -> int | None:
        """The id of the person of a link that was never used and is not too old; used from now on."""
        links = sign_in_links.c
        usable = (links.hash == hashed) & links.used_at.is_(None) & (links.expires_at > now)
        if self._connection.execute(update(sign_in_links).where(usable).values(used_at=now)).rowcount != 1:
            return None
        return int(self._connection.execute(select(links.person_id).where(links.hash == hashed)).scalar_one())

    def void_links(self, person_id: int) -> None:
        self._connection.execute(delete(sign_in_links).where(sign_in_links.c.person_id == person_id))

    def failures(self, email_hash: str) -> tuple[int, datetime | None]:
        """Tries since the last good one, and when the newest was."""
        query = select(sign_in_failures).where(sign_in_failures.c.email_hash == email_hash)
        row = self._connection.execute(query.with_for_update()).one_or_none()
        return (row.number, row.last_at) if row else (0, None)

    def count_failure(self, email_hash: str, now: datetime) -> None:
        mine = sign_in_failures.c.email_hash == email_hash
        raised = update(sign_in_failures).where(mine).values(number=sign_in_failures.c.number + 1, last_at=now)
        if self._connection.execute(raised).rowcount == 0:
            self._connection.execute(insert(sign_in_failures).values(email_hash=email_hash, number=1, last_at=now))

    def forgive(self, email_hash: str) -> None:
        self._connection.execute(delete(sign_in_failures).where(sign_in_failures.c.email_hash == email_hash))

    def forget_expired(self, now: datetime) -> None:
        """Sessions and links that are over, and failures too old to count."""
        self._connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        self._connection.execute(delete(sign_in_links).where(sign_in_links.c.expires_at <= now))
        self._connection.execute(delete(sign_in_failures).where(sign_in_failures.c.last_at < now - FORGIVEN_AFTER))
