"""Flags: list, create, read, replace, patch, archive, switch."""

from typing import Any

from flask import Blueprint, Response, url_for

from controlplane.documents.acts import ReasonDocument
from controlplane.documents.fields import parse
from controlplane.domain.feature import Kind
from controlplane.usecases import flags
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.listing import describe_flags
from web.api import reading
from web.api.answering import answer_of, created, flag_answer, is_known, listed, not_modified, with_etag
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("flags", __name__, url_prefix="/environments/<environment>/flags")


@blueprint.get("")
def list_all(environment: str) -> Response:
    """The flags of an environment by key, with health and last change."""
    reading.known("search", "tag", "kind", "archived", "limit", "after")
    search, tag, after = (reading.text(name) for name in ("search", "tag", "after"))
    kind = reading.one_of("kind", tuple(Kind))
    limit = reading.whole("limit", 1, 500, 100) or 100
    found = describe_flags(wired().store, environment, wired().clock(), archived=reading.truth("archived"))
    listing = [each for each in found if kind in {None, each["kind"]} and (after is None or each["key"] > after)]
    wanted = [each for each in listing if _is_wanted(each, search, tag)]
    return listed(wanted[:limit], wanted[limit - 1]["key"] if len(wanted) > limit else None)


def _is_wanted(flag: dict[str, Any], search: str | None, tag: str | None) -> bool:
    if tag is not None and tag not in flag["tags"]:
        return False
    words = " ".join((flag["key"], flag["description"], flag["owner"], *flag["tags"])).casefold()
    return search is None or search.casefold() in words


@blueprint.post("")
def create(environment: str) -> Response:
    """Create a flag."""
    reading.known("reason")
    flag = flags.create_flag(wired().store, environment, reading.body(), cause(reading.reason()))
    return created(flag_answer(flag), url_for("api.flags.show", environment=environment, flag=flag.key))


@blueprint.get("/<flag>")
def show(environment: str, flag: str) -> Response:
    """One flag. The ETag is its version, for If-Match."""
    answer = describe_flag(wired().store, Place(environment, flag), wired().clock())
    return not_modified(answer["version"]) if is_known(answer["version"]) else with_etag(answer)


@blueprint.put("/<flag>")
def replace(environment: str, flag: str) -> Response:
    """Replace the definition; what is left out gets its default."""
    reading.known("reason")
    why = cause(reading.reason(), reading.required_version())
    return flag_answer(flags.replace_flag(wired().store, Place(environment, flag), reading.body(), why))


@blueprint.patch("/<flag>")
def patch(environment: str, flag: str) -> Response:
    """Change some fields (RFC 7396): null removes, objects merge, everything else replaces."""
    reading.known("reason")
    why = cause(reading.reason(), reading.required_version())
    return flag_answer(flags.patch_flag(wired().store, Place(environment, flag), reading.body(), why))


@blueprint.delete("/<flag>")
def archive(environment: str, flag: str) -> Response:
    """Archive a flag: it leaves every snapshot, its history stays."""
    reading.known("reason")
    why = cause(reading.reason(), reading.required_version())
    return flag_answer(flags.archive_flag(wired().store, Place(environment, flag), why))


@blueprint.post("/<flag>/enable")
def enable(environment: str, flag: str) -> Response:
    """Let the shares and rules of a flag take effect."""
    given = parse(ReasonDocument, reading.body(optional=True))
    why = cause(given.reason, reading.expected_version())
    return flag_answer(flags.enable_flag(wired().store, Place(environment, flag), why))


@blueprint.post("/<flag>/disable")
def disable(environment: str, flag: str) -> Response:
    """The kill switch: every call goes to the baseline. If-Match is ignored."""
    given = parse(ReasonDocument, reading.body(optional=True))
    place = Place(environment, flag)
    return answer_of(place, flags.disable_flag(wired().store, place, cause(given.reason)))
