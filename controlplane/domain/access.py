"""Access: roles, people and tokens, and who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

EVERYWHERE = "*"


class Role(StrEnum):
    """Each may do what the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class TokenKind(StrEnum):
    """`sdk` reads one environment's snapshot and reports, nothing else; `admin` speaks to the management doors."""

    SDK = "sdk"
    ADMIN = "admin"


def lesser(one: Role | None, other: Role | None) -> Role | None:
    """What both roles allow; None allows nothing."""
    return None if one is None or other is None else min(one, other, key=list(Role).index)


@dataclass(frozen=True, slots=True)
class Person:
    """`roles`: environment name, or `*` for all of them → role. The larger one counts."""

    id: int
    email: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    has_password: bool = False
    created_at: datetime | None = None
    disabled_at: datetime | None = None

    def role_in(self, environment: str) -> Role | None:
        found = [self.roles[name] for name in (environment, EVERYWHERE) if name in self.roles]
        return max(found, key=list(Role).index) if found else None


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: never its secret. `environment` None means every environment (admin only).

    A token with an `owner` acts in that person's name and never opens more than the owner may open now; `role` is a
    limit below that. One without an owner acts in its own name.
    """

    id: int
    kind: TokenKind
    name: str
    role: Role | None
    environment: str | None
    hash: str
    hint: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    owner: Person | None = None

    def is_valid(self, now: datetime) -> bool:
        is_over = self.expires_at is not None and now >= self.expires_at
        return not (self.revoked_at or is_over or (self.owner and self.owner.disabled_at))

    def role_in(self, environment: str) -> Role | None:
        given = self.role if self.environment in {None, environment} else None
        return lesser(given, self.owner.role_in(environment)) if self.owner else given


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token that somebody wants. `environment` None: production for an SDK token, all of them for an admin token."""

    kind: TokenKind
    name: str
    environment: str | None = None
    role: Role | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `secret` is what the browser keeps; the store has its hash."""

    secret: str = field(repr=False)
    person: Person
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom an identity provider may vouch for: people of these domains, or of any; `role` is what unknown ones get."""

    label: str
    domains: frozenset[str] = frozenset()
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner may see it: `handle` tells it from others, and opens nothing."""

    handle: str
    agent: str
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime


def wait_after(failures: int) -> int:
    """Seconds to wait before the next try to sign in: the first five are free, then it doubles up to 15 minutes."""
    return 0 if failures < 5 else min(2 ** (failures - 5), 900)
