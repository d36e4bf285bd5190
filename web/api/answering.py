"""Answering: a flag with its ETag, a list in pages, the audit log as CSV."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request

from controlplane.documents.tabular import audit_head, audit_lines
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.phases import Backlog
from controlplane.usecases.answers import answer_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.reconciling import show_backlog
from web.wiring import wired


def flag_answer(flag: Flag, backlog: Backlog | None = None) -> Response:
    """The flag as this request left it."""
    return with_etag(answer_flag(flag, None, wired().clock(), backlog))


def answer_of(place: Place, flag: Flag) -> Response:
    """The same after an act: where data move, what a way back costs is in the answer."""
    return flag_answer(flag, show_backlog(wired().store, place) if moves_data(flag) else None)


def with_etag(answer: Mapping[str, Any]) -> Response:
    response = jsonify(answer)
    response.set_etag(str(answer["version"]))
    return response


def is_known(version: int) -> bool:
    """Whether the caller has this version already."""
    return request.if_none_match.contains_weak(str(version))


def not_modified(version: int) -> Response:
    response = Response(status=304)
    response.set_etag(str(version))
    return response


def created(answer: Response, location: str) -> Response:
    answer.status_code = 201
    answer.headers["Location"] = location
    return answer


def listed(items: Sequence[Any], following: str | int | None = None) -> Response:
    """`next` continues the list; null at its end."""
    return jsonify({"items": list(items), "next": following})


def audit_table(entries: Iterable[Mapping[str, Any]]) -> Response:
    return Response(audit_head() + audit_lines(entries), mimetype="text/csv")
