"""Pages for people: read what was asked, call one use case, show what it answered."""

from flask import Blueprint

from web.ui import (
    backtests,
    calendar,
    checklists,
    criteria,
    decisions,
    definitions,
    environments,
    features,
    finish,
    flags,
    history,
    instances,
    openid,
    own_tokens,
    people,
    previews,
    profile,
    reference,
    rollouts,
    settings,
    signing_in,
    start,
    switches,
    tokens,
    webhooks,
    wheel,
)
from web.ui.frame import dress_templates

blueprint = Blueprint("ui", __name__)
dress_templates(blueprint)
for _room in (
    backtests,
    calendar,
    checklists,
    criteria,
    decisions,
    definitions,
    environments,
    features,
    finish,
    flags,
    history,
    instances,
    openid,
    own_tokens,
    people,
    previews,
    profile,
    reference,
    rollouts,
    settings,
    signing_in,
    start,
    switches,
    tokens,
    webhooks,
    wheel,
):
    blueprint.register_blueprint(_room.blueprint)
