"""Answering: a flag with its ETag, a list in pages, a table as CSV that no spreadsheet will execute."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request

from controlplane.domain.flag import Flag
from controlplane.usecases.answers import answer_flag
from web.wiring import wired

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def flag_answer(flag: Flag) -> Response:
    """The flag as this request left it."""
    return with_etag(answer_flag(flag, None, wired().clock()))


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


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return Response(out.getvalue(), mimetype="text/csv")


def _cell(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Text that begins like a formula gets an apostrophe: a reason is written by anybody, opened by an auditor."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
