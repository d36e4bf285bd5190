"""The audit log of an environment: filtered, page by page, and proved."""

from typing import Any

from flask import Blueprint, render_template, request

from controlplane.domain.audit import Action
from controlplane.usecases.answers import describe_entry
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.history import verify as verify_chain
from web.ui import asking
from web.ui.diffs import ACTIONS
from web.wiring import wired

blueprint = Blueprint("history", __name__, url_prefix="/environments/<environment>/audit")
PAGE = 50


@blueprint.get("")
def show(environment: str) -> str:
    return render_template("audit.html", verification=None, **_entries(environment))


@blueprint.get("/verify")
def verify(environment: str) -> str:
    """The same page, with the whole chain recomputed."""
    verification = verify_chain(wired().store, environment)
    return render_template("audit.html", verification=verification, **_entries(environment))


def _entries(environment: str) -> dict[str, Any]:
    asked = {name: request.args.get(name, "").strip() for name in ("flag", "actor", "action")}
    flag, actor, action = (value or None for value in asked.values())
    wanted = Filter(flag=flag, actor=actor, action=action, before=request.args.get("before", type=int))
    found = list_entries(wired().store, environment, wanted, PAGE)
    return {
        "environment": environment,
        "entries": [describe_entry(each) for each in found.items],
        "next": found.next,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "actions": {each.value: ACTIONS[each.value] for each in Action},
        "now": asking.now(),
    }
