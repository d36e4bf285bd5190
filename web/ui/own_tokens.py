"""Tokens of one's own: made, seen and revoked on the profile. A secret is shown once, in the answer that makes it."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, url_for

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused
from controlplane.usecases import own_tokens as usecases
from web.errors import STATUS
from web.ui import asking
from web.ui.answering import Notice, done_and_back
from web.ui.forms import shown_errors
from web.ui.profile import shown_profile, wrong_password
from web.wiring import wired

blueprint = Blueprint("own_tokens", __name__, url_prefix="/profile/tokens")

LASTS = {"30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365), "": None}


@blueprint.post("")
def create() -> Response:
    person = asking.signed_in_person()
    if errors := wrong_password(person):
        return shown_profile(HTTPStatus.UNPROCESSABLE_ENTITY, token_errors=errors)
    try:
        token, secret = usecases.create_own_token(wired().store, person, _wanted(), asking.asked())
    except (InvalidInput, NotFound) as error:
        told = error.errors if isinstance(error, InvalidInput) else (FieldError("environment", error.message),)
        return shown_profile(HTTPStatus.UNPROCESSABLE_ENTITY, token_errors=shown_errors(told))
    except Refused as error:
        notice = Notice("bad", f"Nothing was made: {error.message}.")
        return shown_profile(STATUS[Refused], token_errors={}, notice=notice)
    return shown_profile(made=token, secret=secret)


@blueprint.post("/<int:token_id>/revoke")
def revoke(token_id: int) -> Response:
    token = usecases.revoke_own_token(wired().store, asking.signed_in_person(), token_id, asking.asked())
    return done_and_back(url_for("ui.profile.show"), f"{token.name} was revoked: it opens nothing any more.")


def _wanted() -> TokenRequest:
    """Raises InvalidInput."""
    given = asking.fields()
    role, lasts = given.get("role", ""), given.get("lasts", "")
    if role not in list(Role):
        raise InvalidInput((FieldError("role", f"must be one of {', '.join(Role)}"),))
    if lasts not in LASTS:
        raise InvalidInput((FieldError("lasts", "must be 30, 90 or 365 days, or nothing"),))
    ends = LASTS[lasts]
    return TokenRequest(
        TokenKind.ADMIN,
        given.get("name", "").strip(),
        given.get("environment") or None,
        Role(role),
        asking.now() + ends if ends else None,
    )
