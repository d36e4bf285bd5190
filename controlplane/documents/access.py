"""Tokens and people as machines write them, and as they are answered: never a secret, never a hash."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from controlplane.documents.fields import Document, Name, Switch
from controlplane.domain.access import EVERYWHERE, Person, Role, Token, TokenKind, TokenRequest


class TokenDocument(Document):
    kind: TokenKind
    name: Name
    environment: Name | None = None
    role: Role | None = None
    expires_at: AwareDatetime | None = None

    def to_domain(self) -> TokenRequest:
        return TokenRequest(self.kind, self.name, self.environment, self.role, self.expires_at)


class PersonDocument(Document):
    email: Name
    role: Role
    environment: Name = EVERYWHERE


class RoleDocument(Document):
    """`role` null takes it away."""

    role: Role | None
    environment: Name = EVERYWHERE


class EnvironmentDocument(Document):
    name: Name


class EnvironmentPatch(Document):
    """What can be changed about an environment."""

    require_reason: Switch


def token_document(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "kind": token.kind.value,
        "name": token.name,
        "environment": token.environment,
        "role": token.role.value if token.role else None,
        "owner": token.owner.email if token.owner else None,
        "hint": token.hint,
        "created_at": _text(token.created_at),
        "created_by": token.created_by,
        "expires_at": _text(token.expires_at),
        "last_used_at": _text(token.last_used_at),
        "revoked_at": _text(token.revoked_at),
    }


def person_document(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "roles": {environment: role.value for environment, role in person.roles.items()},
        "has_password": person.has_password,
        "created_at": _text(person.created_at),
        "disabled_at": _text(person.disabled_at),
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
