"""The management doors for machines, under /api/v1."""

from flask import Blueprint

from web.api import (
    appointments,
    attachments,
    audit,
    backtest,
    checklists,
    criteria,
    definitions,
    description,
    environments,
    evidence,
    finish,
    flags,
    forecast,
    freezes,
    health,
    instances,
    people,
    plan_templates,
    rollouts,
    routing,
    snapshot,
    tokens,
    webhooks,
)

PREFIX = "/api/v1"

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
for _room in (
    appointments,
    attachments,
    audit,
    backtest,
    checklists,
    criteria,
    definitions,
    description,
    environments,
    evidence,
    finish,
    flags,
    forecast,
    freezes,
    health,
    instances,
    people,
    plan_templates,
    rollouts,
    routing,
    snapshot,
    tokens,
    webhooks,
):
    blueprint.register_blueprint(_room.blueprint)
