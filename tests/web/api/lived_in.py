"""A control plane that people and services have lived in, and callers of every role: what a search at random walks through."""

from dataclasses import dataclass, replace
from datetime import timedelta

from flask import Flask

from controlplane.documents.fields import parse
from controlplane.documents.webhooks import WebhookDocument
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.checklist import Phase
from controlplane.domain.destination import Allowed
from controlplane.domain.webhook import Webhook
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.usecases import (
    appointments,
    attachments,
    checklists,
    environments,
    flags,
    freezes,
    people,
    rollouts,
    webhooks,
)
from controlplane.usecases.changing import Place
from controlplane.usecases.sealing import Seal
from controlplane.usecases.starting import prepare
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.tokens import create_token
from tests.builders import (
    NOW,
    a_cause,
    a_cell,
    a_feature_document,
    a_flag_document,
    a_moved_feature_document,
    a_plan_document,
    a_report,
)
from web.app import create_app

LATER = NOW + timedelta(days=1)
BRIDGE = Place("production", "dspex-bridge")
KNOWN = {
    "environment": ["production", "production", "staging"],
    "flag": ["dspex-bridge", "dspex-bridge", "idle", "archived", "new-checkout", "search-v2"],
    "operation": ["echo", "simple_predict", "third"],
    "item": ["backup"],
    "If-Match": ["*", "*", "*", '"1"', '"2"'],
}
FREEZE = {"name": "Christmas", "starts_at": NOW.isoformat(), "ends_at": LATER.isoformat()}
TESTS = {"suite": "unit", "commit": "abc1234", "result": "passed"}
WEBHOOK = {"name": "chat", "url": "https://example.org/hook", "actions": ["rollout:*"]}
# One body of each shape that is taken where the state allows it.
BODIES = {
    "AnyFlag": a_flag_document(key="other"),
    "Targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "on", "off"]},
    "FlagPatch": {"description": "new"},
    "OperationDocument": {"percent": 5},
    "GuardrailsDocument": {"max_error_rate": 0.1},
    "PlanDocument": a_plan_document(5, 50),
    "CopyPlanDocument": {"from": "idle"},
    "RevertDocument": {"to_version": 1},
    "AppointmentDocument": {"at": LATER.isoformat(), "deed": "disable"},
    "FreezeDocument": FREEZE,
    "AttachmentDocument": TESTS,
    "ChecklistDocument": {"items": [{"id": "backup", "title": "A backup"}]},
    "ItemDocument": {"title": "A backup", "done": True},
    "BacktestDocument": {},
    "EnvironmentDocument": {"name": "third"},
    "EnvironmentPatch": {"require_reason": False},
    "TokenDocument": {"kind": "sdk", "name": "bridge-api"},
    "PersonDocument": {"email": "eve@example.org", "role": "viewer"},
    "RoleDocument": {"role": "operator", "environment": "staging"},
    "ReasonDocument": {"reason": "because"},
    "StartDocument": {},
    "ActDocument": {"operation": "echo"},
    "FinishDocument": {"reason": "the pool is sold", "despite_criteria": True},
    "WebhookDocument": WEBHOOK,
    "RotateDocument": {"overlap_hours": 1},
    "ReconciledDocument": {"side": "baseline", "reason": "copied"},
}


@dataclass(frozen=True, slots=True)
class World:
    """`secrets` by the name of a caller: nobody, sdk, viewer, operator, admin. `numbers` are ids that may be spent."""

    app: Flask
    store: Store
    secrets: dict[str, str | None]
    numbers: dict[str, list[int]]

    @property
    def mark(self) -> tuple[tuple[int, int], ...]:
        """Moves with everything that is changed."""
        with self.store.reading() as uow:
            return tuple((each.audit_length, each.version) for each in uow.environments.all())


def settle(store: Store, settings: Settings) -> World:
    """An empty database becomes a world."""
    prepare(store, settings, NOW)
    environments.create_environment(store, "staging", a_cause())
    secrets = _callers(store)
    spare = [create_token(store, TokenRequest(TokenKind.SDK, f"spare {n}"), a_cause())[0].id for n in range(3)]
    guests = [people.add_person(store, f"guest-{n}@example.org", Role.VIEWER, a_cause()).id for n in range(3)]
    _flags(store)
    wish = {"at": LATER.isoformat(), "deed": "disable"}
    numbers = [appointments.make_appointment(store, BRIDGE, wish, a_cause()).id for _ in range(2)]
    numbers.append(freezes.add_freeze(store, "production", FREEZE, a_cause()).id)
    app = create_app(store, settings, lambda: NOW)
    told = {"webhook": [_webhook(store, name).id for name in ("first", "second")], "delivery": [1, 2]}
    return World(app, store, secrets, {"token": spare, "person": guests, "number": numbers, **told})


def _webhook(store: Store, name: str) -> Webhook:
    """One that is being told of a test."""
    wanted = parse(WebhookDocument, {**WEBHOOK, "name": name}).to_domain()
    made, _ = webhooks.create_webhook(store, wanted, Seal("k" * 32), Allowed(), a_cause())
    webhooks.send_test(store, made.id, a_cause())
    return made


def _callers(store: Store) -> dict[str, str | None]:
    admin = TokenRequest(TokenKind.ADMIN, "someone")
    wanted = {
        "sdk": TokenRequest(TokenKind.SDK, "a service"),
        **{role.value: replace(admin, role=role) for role in Role},
    }
    return {"nobody": None, **{name: create_token(store, each, a_cause())[1] for name, each in wanted.items()}}


def _flags(store: Store) -> None:
    for key in ("dspex-bridge", "idle", "archived"):
        flags.create_flag(store, "production", a_flag_document(key=key), a_cause())
    for feature in (a_feature_document(), a_moved_feature_document(key="search-v2")):
        flags.create_flag(store, "production", feature, a_cause())
    flags.archive_flag(store, Place("production", "archived"), a_cause())
    checklists.set_item(store, BRIDGE, Phase.BEFORE, "backup", {"title": "A backup", "done": True}, a_cause())
    attachments.attach(store, BRIDGE, TESTS, a_cause())
    rollouts.start(store, BRIDGE, a_cause())
    start = int((NOW - timedelta(minutes=1)).timestamp())
    cells = [a_cell(start=start), a_cell(side="baseline", backend="python_pool_v2", start=start)]
    record_reports(store, [a_report(*cells)], NOW)
