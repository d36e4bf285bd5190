"""How is an audit entry told? Pure: actions, actors and changed fields in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web.ui.moments import instant, percent, span

Entry = Mapping[str, Any]

ACTIONS = {
    "flag:create": "created the flag",
    "flag:update": "edited the flag",
    "flag:enable": "enabled the flag",
    "flag:disable": "disabled the flag",
    "flag:archive": "archived the flag",
    "flag:retire": "took the archived flag out of every snapshot",
    "flag:revert": "reverted the flag",
    "share:set": "set a percent",
    "operation:set": "set an operation",
    "operation:remove": "removed an operation",
    "guardrail:set": "changed the guardrails",
    "targeting:set": "changed the targeting",
    "plan:set": "changed the plan",
    "rollout:start": "started the rollout",
    "rollout:pause": "paused the rollout",
    "rollout:resume": "resumed the rollout",
    "rollout:advance": "advanced the rollout",
    "rollout:step_back": "went one stage back",
    "rollout:ask": "asked for somebody's word",
    "rollout:approve": "approved the stage",
    "rollout:abort": "aborted the rollout",
    "rollout:roll_back": "rolled back",
    "rollout:would_roll_back": "would have rolled back",
    "flag:reconcile": "said that missing writes are there now",
    "rollout:hold": "held the rollout",
    "rollout:unlock": "unlocked",
    "rollout:complete": "completed the rollout",
    "rollout:finish": "finished the migration",
    "appointment:make": "made an appointment",
    "appointment:cancel": "called an appointment off",
    "appointment:fail": "could not keep an appointment",
    "checklist:set": "changed the checklist",
    "evidence:attach": "attached a test result",
    "freeze:add": "froze the environment",
    "freeze:remove": "ended a freeze",
    "environment:create": "created the environment",
    "environment:set": "changed the environment",
    "environment:restore": "restored the database of the environment",
    "token:create": "created a token",
    "token:revoke": "revoked a token",
    "webhook:create": "created a webhook",
    "webhook:set": "changed a webhook",
    "webhook:delete": "deleted a webhook",
    "webhook:rotate": "gave a webhook a new secret",
    "webhook:test": "sent a test event to a webhook",
    "webhook:redeliver": "sent an event to a webhook again",
    "webhook:disable": "disabled a webhook",
    "person:add": "added a person",
    "person:set_role": "changed a role",
    "person:disable": "disabled a person",
    "person:enable": "enabled a person",
    "person:set_password": "set a password",
    "person:create_link": "made a sign-in link",
    "person:sign_in": "signed in",
}
_FIELDS = {
    "rollout.state": "rollout",
    "rollout.stage": "stage",
    "rollout.attempt": "attempt",
    "rollout.rollbacks": "automatic rollbacks",
    "rollout.cool_down_until": "cools down until",
    "rollout.approved": "approved",
    "rollout.approved_by": "approved by",
    "rollout.replanned_by": "changed the plan since the start",
    "rollout.lost_approval": "the plan lost an approval",
    "rollout.start_at": "starts at",
    "rollout.started_by": "started by",
    "rolled_back": "rolled back",
    "rolled_back_operations": "rolled back on their own",
}
# Told by the entry's own time, or by another line beside it.
_UNTOLD = {"rollout.entered_at"}


@dataclass(frozen=True, slots=True)
class Line:
    """One changed field; `before` or `after` None where it was or is absent."""

    path: str
    before: str | None
    after: str | None


def action(entry: Entry) -> str:
    """What was done, as the rest of a sentence that begins with the actor."""
    return ACTIONS.get(entry["action"], str(entry["action"]))


def actor(who: Mapping[str, str]) -> str:
    if who["kind"] == "scheduler":
        return "The scheduler"
    if who["kind"] == "token":
        return f"Token {who['name']}"
    return f"{who['name']} via token {who['via']}" if who.get("via") else str(who["name"])


def is_automatic(entry: Entry) -> bool:
    return str(entry["actor"]["kind"]) == "scheduler"


def lines(entry: Entry) -> list[Line]:
    """Every change that says something, in the order of the document."""
    found = [_line(each) for each in entry["changes"] if each["path"] not in _UNTOLD]
    return [line for line in found if line.before is not None or line.after is not None]


def _line(change: Mapping[str, Any]) -> Line:
    path = str(change["path"])
    before, after = worded(path, change["from"]), worded(path, change["to"])
    name = _FIELDS.get(path, path.replace(".", " › ").replace("*", "everywhere"))
    return Line(name, None if before == after else before, after)


def worded(path: str, value: Any) -> str | None:  # noqa: ANN401 - any field of a flag passes through
    """A field's value for people; None for an absent or empty one."""
    if value is None or value in ("", [], {}):
        return None
    if path.endswith("percent"):
        return percent(value)
    if path.endswith("stages"):
        return _stages(value)
    if path == "freeze":
        return f"{value['name']}, {_minute(value['starts_at'])} to {_minute(value['ends_at'])} UTC"
    if path == "rollout.stage":
        return str(value + 1)
    if path.endswith("_until") and (at := instant(value)):
        return f"{at:%d %b %H:%M:%S} UTC"
    return str(value).replace("_", " ") if path == "rollout.state" else _plainly(value)


def _minute(text: str) -> str:
    at = instant(text)
    return f"{at:%Y-%m-%d %H:%M}" if at else "?"


def _plainly(value: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    return " → ".join(
        f"{percent(each['percent'])} for {span(each['bake_seconds'])}{', approval' if each.get('approval') else ''}"
        for each in stages
    )
