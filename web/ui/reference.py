"""`/docs`: the API for people, drawn from the very document that machines get."""

from flask import Blueprint, Response, current_app, make_response

from web.ui.answering import page

blueprint = Blueprint("reference", __name__)


@blueprint.get("/docs")
def show() -> Response:
    document = make_response(
        current_app.ensure_sync(current_app.view_functions["api.description.openapi"])()
    ).get_json()
    return page("reference.html", document=document)
