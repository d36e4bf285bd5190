"""Tokens: list, create, revoke."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.access import TokenDocument, token_document
from controlplane.documents.fields import parse
from controlplane.usecases.tokens import create_token, list_tokens, revoke_token
from web.api import reading
from web.api.answering import created, listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("")
def list_all() -> Response:
    """Every token that ever was, by id; never its secret."""
    return listed([token_document(each) for each in list_tokens(wired().store)])


@blueprint.post("")
def create() -> Response:
    """Create a token. `secret` is shown this once and never again."""
    reading.known("reason")
    wanted = parse(TokenDocument, reading.body()).to_domain()
    token, secret = create_token(wired().store, wanted, cause(reading.reason()))
    return created(jsonify({**token_document(token), "secret": secret}), "/api/v1/tokens")


@blueprint.delete("/<int:token>")
def revoke(token: int) -> Response:
    """Revoke a token: it opens nothing from now on."""
    reading.known("reason")
    return jsonify(token_document(revoke_token(wired().store, token, cause(reading.reason()))))
