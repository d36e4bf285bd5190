"""`throwbar user`: who may sign in, and how they get in when they cannot."""

import os

import click

from controlplane.clock import utc_now
from controlplane.domain.access import EVERYWHERE, Role
from controlplane.settings import read_settings
from controlplane.usecases.changing import Cause
from controlplane.usecases.people import find_person, set_password
from web.access import sign_in_link
from web.cli.local import operator
from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane, opened_store, reason_option, require_schema, tell


@click.group()
def user() -> None:
    """Add people, disable them, make sign-in links, set passwords."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice([each.value for each in Role]), default=Role.VIEWER.value, show_default=True)
@click.option("--in", "where", default=EVERYWHERE, help="In this environment only; in all of them, unless given.")
@reason_option
@on_the_plane
def add(plane: Plane, email: str, role: str, where: str, reason: str) -> Told:
    """Add somebody; `throwbar user link EMAIL` then lets them in."""
    new = plane.add_person({"email": email, "role": role, "environment": where}, reason)
    return Told(new, f"{new['email']} is added as {role}. Next: throwbar user link {new['email']}")


@user.command("list")
@on_the_plane
def list_people(plane: Plane) -> Told:
    """Everybody who may sign in, and their roles."""
    found = plane.list_people()
    rows = [("id", "email", "roles", "password", "disabled")]
    rows += [
        (
            each["id"],
            each["email"],
            _roles(each["roles"]),
            "set" if each["has_password"] else "none",
            (each["disabled_at"] or "")[:19],
        )
        for each in found
    ]
    return Told(found, columns(rows, "There are no people yet."))


@user.command()
@click.argument("email")
@click.option("--at", "server", help="The address of the server, as that person's browser reaches it.")
@on_the_plane
def link(plane: Plane, email: str, server: str | None) -> Told:
    """Make a link that signs EMAIL in once, within a day."""
    made = plane.create_link(email)
    settings = read_settings(os.environ)
    url = sign_in_link(server or f"http://{settings.host}:{settings.port}", made["secret"])
    return Told({"email": made["email"], "url": url}, url)


@user.command()
@click.argument("email")
@reason_option
@on_the_plane
def disable(plane: Plane, email: str, reason: str) -> Told:
    """Shut EMAIL out: their sessions, links and own tokens end at once."""
    person = plane.disable_person(email, reason)
    return Told(person, f"{person['email']} is disabled: every session, link and token of theirs has ended.")


@user.command()
@click.argument("email")
@reason_option
@on_the_plane
def enable(plane: Plane, email: str, reason: str) -> Told:
    """Let EMAIL sign in again, with the roles and the password they had."""
    person = plane.enable_person(email, reason)
    return Told(person, f"{person['email']} may sign in again. Tokens that were revoked stay so.")


@user.command("reset-password")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.password_option(help="Asked for when not given; at least 12 characters.")
def reset_password(email: str, password: str, as_json: bool) -> None:
    """Set a password. Every session and link of that person ends. On the database only."""
    with opened_store() as (store, _):
        require_schema(store)
        person = find_person(store, email)
        set_password(store, person.id, password, Cause(operator(), utc_now()))
    tell(Told({"email": person.email}, f"{person.email} has a new password."), as_json=as_json)


def _roles(roles: dict[str, str]) -> str:
    return ", ".join(f"{role} ({'everywhere' if where == EVERYWHERE else where})" for where, role in roles.items())
