"""Who asks, for what, and what may they see? Everything a view reads from a request."""

from dataclasses import dataclass
from datetime import datetime

from flask import request

from controlplane.domain.access import EVERYWHERE, Person, Role
from controlplane.domain.errors import NotFound
from controlplane.usecases.changing import Cause
from controlplane.usecases.environments import list_environments
from web.auth import caller, caller_or_nobody, cause
from web.wiring import wired


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, in which environment, with which role there."""

    name: str
    environment: str
    environments: tuple[str, ...]
    role: Role | None
    role_everywhere: Role | None
    wants_reason: bool = False  # whether each change in this environment must say why

    @property
    def can_operate(self) -> bool:
        return self.role is not None and self.role.covers(Role.OPERATOR)

    @property
    def can_make_tokens(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def can_administer(self) -> bool:
        return self.role_everywhere is Role.ADMIN


def viewer() -> Viewer | None:
    """None for somebody who is not signed in. On a page of no environment, their first one is shown in the frame."""
    known = caller_or_nobody()
    if known is None:
        return None
    visible = {each.name: each for each in list_environments(wired().store) if known.role_in(each.name)}
    here = str((request.view_args or {}).get("environment") or next(iter(visible), ""))
    return Viewer(
        known.actor.name,
        here,
        tuple(visible),
        known.role_in(here),
        known.role_in(EVERYWHERE),
        here in visible and visible[here].require_reason,
    )


def signed_in_person() -> Person:
    """The person of this request. Raises NotFound for a token: it has no profile."""
    holder = caller().holder
    if not isinstance(holder, Person):
        raise NotFound("a token has no profile: sign in as a person")
    return holder


def now() -> datetime:
    return wired().clock()


def asked() -> Cause:
    """The actor, the reason that was typed, and the version that the form was filled in on."""
    expected = request.form.get("expected", "")
    return cause(request.form.get("reason", "").strip(), int(expected) if expected.isdigit() else None)


def fields() -> dict[str, str]:
    """The form without what belongs to its envelope."""
    return {name: value for name, value in request.form.items() if name not in ("csrf_token", "expected", "reason")}


def who_wants_reasons() -> list[str]:
    """The environments that ask why, for forms that may be about any of them."""
    return [each.name for each in list_environments(wired().store) if each.require_reason]


def is_fragment() -> bool:
    """Whether htmx asks, which wants a part of the page."""
    return "HX-Request" in request.headers
