"""Tokens: what services and programs show to be let in. A secret is shown once, in the answer that makes it."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.errors import FieldError, InvalidInput, NotFound
from controlplane.usecases import tokens as usecases
from controlplane.usecases.environments import list_environments
from web.ui import asking
from web.ui.answering import done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("")
def list_all() -> Response:
    return _listed()


@blueprint.post("")
def create() -> Response:
    try:
        token, secret = usecases.create_token(wired().store, _wanted(), asking.asked())
    except InvalidInput as error:
        return _listed(HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors))
    except NotFound as error:
        return _listed(HTTPStatus.UNPROCESSABLE_ENTITY, errors={"environment": error.message})
    return _listed(made=token, secret=secret)


@blueprint.post("/<int:token_id>/revoke")
def revoke(token_id: int) -> Response:
    token = usecases.revoke_token(wired().store, token_id, asking.asked())
    return done_and_back(url_for("ui.tokens.list_all"), f"{token.name} was revoked: it opens nothing any more.")


def _wanted() -> TokenRequest:
    """Raises InvalidInput."""
    given = asking.fields()
    kind, role = given.get("kind", ""), given.get("role", "")
    if kind not in list(TokenKind):
        raise InvalidInput((FieldError("kind", "must be sdk or admin"),))
    if kind == TokenKind.ADMIN and role and role not in list(Role):
        raise InvalidInput((FieldError("role", f"must be one of {', '.join(Role)}"),))
    return TokenRequest(
        TokenKind(kind),
        given.get("name", "").strip(),
        given.get("environment") or None,
        Role(role) if kind == TokenKind.ADMIN and role else None,
    )


def _listed(status: int = HTTPStatus.OK, **context: object) -> Response:
    return page(
        "tokens.html",
        status,
        tokens=sorted(usecases.list_tokens(wired().store), key=lambda each: (each.revoked_at is not None, -each.id)),
        names=[each.name for each in list_environments(wired().store)],
        roles=list(Role),
        asked_by=asking.who_wants_reasons(),
        asked=asking.fields() if request.method == "POST" and "secret" not in context else {},
        now=asking.now(),
        **context,
    )
