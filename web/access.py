"""THE TABLE: which role each route needs. A route that is not in it is closed, and fails a test."""

from enum import StrEnum

from controlplane.domain.access import Role


class Need(StrEnum):
    """What a route asks for when it does not ask for a role."""

    PUBLIC = "public"  # anybody, also without signing in
    SIGNED_IN = "signed_in"  # a person or an admin token, whatever their role; the view shows only what they may see
    SDK = "sdk"  # an SDK token, bound to its environment
    TICKET = "ticket"  # an address that was signed for an SDK token, for a while


Rule = Need | Role
SIGN_IN = "/sign-in"  # the page; below it, one-time links


def sign_in_link(server: str, secret: str) -> str:
    """What to open in a browser. `server` is like http://127.0.0.1:8000."""
    return f"{server.rstrip('/')}{SIGN_IN}/{secret}"


# A role counts in the environment that the address names, and where it names none, in every environment.
API: dict[str, Rule] = {
    "metrics.show": Need.PUBLIC,  # for a scraper on the same network; it names no key, token or person
    "api.description.openapi": Need.PUBLIC,
    "api.environments.list_all": Need.SIGNED_IN,
    "api.environments.create": Role.ADMIN,
    "api.environments.show": Role.VIEWER,
    "api.environments.change": Role.ADMIN,
    "api.flags.list_all": Role.VIEWER,
    "api.flags.create": Role.OPERATOR,
    "api.flags.show": Role.VIEWER,
    "api.flags.replace": Role.OPERATOR,
    "api.flags.patch": Role.OPERATOR,
    "api.flags.archive": Role.OPERATOR,
    "api.flags.enable": Role.OPERATOR,
    "api.flags.disable": Role.OPERATOR,
    "api.definitions.set_operation": Role.OPERATOR,
    "api.definitions.remove_operation": Role.OPERATOR,
    "api.definitions.set_guardrails": Role.OPERATOR,
    "api.definitions.set_targeting": Role.OPERATOR,
    "api.definitions.set_plan": Role.OPERATOR,
    "api.definitions.copy_plan": Role.OPERATOR,
    "api.definitions.revert": Role.OPERATOR,
    "api.rollouts.start": Role.OPERATOR,
    "api.rollouts.act": Role.OPERATOR,
    "api.rollouts.finish": Role.OPERATOR,
    "api.rollouts.reconciled": Role.OPERATOR,
    "api.appointments.list_all": Role.VIEWER,
    "api.appointments.make": Role.OPERATOR,
    "api.appointments.cancel": Role.OPERATOR,
    "api.freezes.list_all": Role.VIEWER,
    "api.freezes.add": Role.OPERATOR,
    "api.freezes.remove": Role.OPERATOR,
    "api.forecast.show": Role.VIEWER,
    "api.plan_templates.list_all": Role.VIEWER,
    "api.forecast.try_plan": Role.VIEWER,  # it changes nothing
    "api.health.show": Role.VIEWER,
    "api.evidence.show": Role.VIEWER,
    "api.attachments.list_all": Role.VIEWER,
    "api.attachments.attach": Role.OPERATOR,
    "api.finish.show": Role.VIEWER,
    "api.finish.stale": Role.VIEWER,
    "api.criteria.show": Role.VIEWER,
    "api.criteria.report": Role.VIEWER,
    "api.checklists.show": Role.VIEWER,
    "api.checklists.replace": Role.OPERATOR,
    "api.checklists.set_item": Role.OPERATOR,
    "api.checklists.remove_item": Role.OPERATOR,
    "api.backtest.run": Role.VIEWER,  # a question, put as POST because a policy is a document
    "api.instances.list_all": Role.VIEWER,
    "api.instances.convergence": Role.VIEWER,
    "api.routing.decision": Role.VIEWER,
    "api.routing.mismatches": Role.VIEWER,
    "api.routing.receipts": Role.VIEWER,
    "api.snapshot.show": Role.VIEWER,
    "api.audit.list_all": Role.VIEWER,
    "api.audit.verify": Role.VIEWER,
    "api.audit.history": Role.VIEWER,
    "api.tokens.list_all": Role.ADMIN,
    "api.tokens.create": Role.ADMIN,
    "api.tokens.revoke": Role.ADMIN,
    "api.webhooks.list_all": Role.ADMIN,
    "api.webhooks.create": Role.ADMIN,
    "api.webhooks.show": Role.ADMIN,
    "api.webhooks.replace": Role.ADMIN,
    "api.webhooks.delete": Role.ADMIN,
    "api.webhooks.rotate": Role.ADMIN,
    "api.webhooks.test": Role.ADMIN,
    "api.webhooks.deliveries": Role.ADMIN,
    "api.webhooks.delivery": Role.ADMIN,
    "api.webhooks.redeliver": Role.ADMIN,
    "api.people.list_all": Role.ADMIN,
    "api.people.add": Role.ADMIN,
    "api.people.set_role": Role.ADMIN,
    "api.people.disable": Role.ADMIN,
    "api.people.enable": Role.ADMIN,
    "api.people.create_link": Role.ADMIN,
}

UI: dict[str, Rule] = {
    "static": Need.PUBLIC,
    "ui.signing_in.form": Need.PUBLIC,
    "ui.signing_in.by_password": Need.PUBLIC,
    "ui.signing_in.by_link": Need.PUBLIC,
    "ui.signing_in.use_link": Need.PUBLIC,
    "ui.openid.leave": Need.PUBLIC,
    "ui.openid.come_back": Need.PUBLIC,
    "ui.flags.home": Need.SIGNED_IN,
    "ui.profile.show": Need.SIGNED_IN,
    "ui.profile.first_password": Need.SIGNED_IN,
    "ui.profile.set_password": Need.SIGNED_IN,
    "ui.profile.sign_out_everywhere": Need.SIGNED_IN,
    "ui.profile.end_session": Need.SIGNED_IN,
    "ui.own_tokens.create": Need.SIGNED_IN,
    "ui.own_tokens.revoke": Need.SIGNED_IN,
    "ui.signing_in.out": Need.SIGNED_IN,
    "ui.flags.list_all": Role.VIEWER,
    "ui.flags.show": Role.VIEWER,
    "ui.flags.live": Role.VIEWER,
    "ui.flags.summaries": Role.VIEWER,
    "ui.flags.series": Role.VIEWER,
    "ui.backtests.show": Role.VIEWER,
    "ui.decisions.show": Role.VIEWER,
    "ui.previews.percent": Role.VIEWER,
    "ui.finish.show": Role.VIEWER,
    "ui.finish.stale": Role.VIEWER,
    "ui.criteria.show": Role.VIEWER,
    "ui.criteria.report": Role.VIEWER,
    "ui.checklists.show": Role.VIEWER,
    "ui.checklists.set_item": Role.OPERATOR,
    "ui.checklists.add_item": Role.OPERATOR,
    "ui.checklists.remove_item": Role.OPERATOR,
    "ui.checklists.require": Role.OPERATOR,
    "ui.history.show": Role.VIEWER,
    "ui.history.verify": Role.VIEWER,
    "ui.history.entry": Role.VIEWER,
    "ui.history.export": Role.VIEWER,
    "ui.instances.list_all": Role.VIEWER,
    "ui.calendar.show": Role.VIEWER,
    "ui.calendar.add_freeze": Role.OPERATOR,
    "ui.calendar.remove_freeze": Role.OPERATOR,
    "ui.calendar.set_reasons": Role.ADMIN,
    "ui.environments.list_all": Role.ADMIN,
    "ui.environments.create": Role.ADMIN,
    "ui.settings.show": Role.ADMIN,
    "ui.reference.show": Need.PUBLIC,
    "ui.wheel.download": Need.PUBLIC,  # pip shows no token, and the SDK is free software
    "ui.start.show": Role.VIEWER,
    "ui.start.heard": Role.VIEWER,
    "ui.definitions.new": Role.OPERATOR,
    "ui.definitions.create": Role.OPERATOR,
    "ui.definitions.edit": Role.OPERATOR,
    "ui.definitions.save": Role.OPERATOR,
    "ui.rollouts.act": Role.OPERATOR,
    "ui.switches.enable": Role.OPERATOR,
    "ui.switches.disable": Role.OPERATOR,
    "ui.switches.archive": Role.OPERATOR,
    "ui.switches.add_operation": Role.OPERATOR,
    "ui.switches.set_percent": Role.OPERATOR,
    "ui.switches.set_routing": Role.OPERATOR,
    "ui.switches.remove_operation": Role.OPERATOR,
    "ui.switches.revert": Role.OPERATOR,
    "ui.features.set_targeting": Role.OPERATOR,
    "ui.start.make_token": Role.ADMIN,
    "ui.people.list_all": Role.ADMIN,
    "ui.people.add": Role.ADMIN,
    "ui.people.set_role": Role.ADMIN,
    "ui.people.disable": Role.ADMIN,
    "ui.people.enable": Role.ADMIN,
    "ui.people.link": Role.ADMIN,
    "ui.webhooks.list_all": Role.ADMIN,
    "ui.webhooks.create": Role.ADMIN,
    "ui.webhooks.show": Role.ADMIN,
    "ui.webhooks.save": Role.ADMIN,
    "ui.webhooks.switch": Role.ADMIN,
    "ui.webhooks.delete": Role.ADMIN,
    "ui.webhooks.rotate": Role.ADMIN,
    "ui.webhooks.test": Role.ADMIN,
    "ui.webhooks.redeliver": Role.ADMIN,
    "ui.tokens.list_all": Role.ADMIN,
    "ui.tokens.create": Role.ADMIN,
    "ui.tokens.revoke": Role.ADMIN,
}

# Not Flask's: `web.edge` enforces these itself, and the test of the table asks it as well.
EDGE: dict[str, Rule] = {
    "GET /sdk/v1/snapshot": Need.SDK,
    "POST /sdk/v1/reports": Need.SDK,
    "POST /v1/metrics": Need.SDK,
    "GET /flagd/v0/flags.json": Need.SDK,
    "POST /ofrep/v1/evaluate/flags": Need.SDK,
    "POST /ofrep/v1/evaluate/flags/<key>": Need.SDK,
    "GET /ofrep/v1/events": Need.TICKET,
    "POST /flagd.evaluation.v1.Service/<method>": Need.SDK,
    "POST /flagd.evaluation.v2.Service/<method>": Need.SDK,
    "GET /healthz": Need.PUBLIC,
    "GET /readyz": Need.PUBLIC,
    "GET /environments/<environment>/stream": Role.VIEWER,  # of a signed-in person
}

RULES: dict[str, Rule] = {**API, **UI}


def rule_of(endpoint: str) -> Rule | None:
    """What a Flask endpoint needs; None for one that nobody thought of."""
    return RULES.get(endpoint)
