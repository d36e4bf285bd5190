"""`throwbar token`: create, list, revoke."""

from datetime import UTC, datetime

import click

from controlplane.domain.access import Role, TokenKind
from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option


@click.group()
def token() -> None:
    """Create, list and revoke tokens."""


@token.command()
@click.argument("name")
@click.option("--kind", type=click.Choice([each.value for each in TokenKind]), required=True)
@click.option("--for", "bound_to", help="The one environment it is for. SDK tokens: production unless given.")
@click.option("--role", type=click.Choice([each.value for each in Role]), help="What an admin token may do.")
@click.option("--expires", type=click.DateTime(), help="When it ends, UTC. Never, unless given.")
@reason_option
@on_the_plane
def create(plane: Plane, name: str, expires: datetime | None, reason: str, **given: str | None) -> Told:
    """Create a token for NAME. Its secret is shown this once and never again."""
    document = {"name": name, "kind": given["kind"], "environment": given["bound_to"], "role": given["role"]}
    if expires:
        document["expires_at"] = expires.replace(tzinfo=UTC).isoformat()
    new = plane.create_token(document, reason)
    return Told(new, new["secret"])


@token.command("list")
@on_the_plane
def list_tokens(plane: Plane) -> Told:
    """Every token, by its last characters; never its secret."""
    found = plane.list_tokens()
    names = ("id", "kind", "name", "environment", "role", "owner", "hint", "last_used_at", "expires_at", "revoked_at")
    return Told(
        found, columns([names, *(tuple(each[name] for name in names) for each in found)], "There are no tokens.")
    )


@token.command()
@click.argument("token_id", type=click.IntRange(min=1), metavar="ID")
@reason_option
@on_the_plane
def revoke(plane: Plane, token_id: int, reason: str) -> Told:
    """Revoke a token: it opens nothing from now on."""
    revoked = plane.revoke_token(token_id, reason)
    return Told(revoked, f"token {token_id} ({revoked['name']}) is revoked.")
