"""The control plane in the database, without a server: how one gets in when nothing else works."""

import getpass
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controlplane.clock import utc_now
from controlplane.documents.access import PersonDocument, TokenDocument, person_document, token_document
from controlplane.documents.acts import ReconciledDocument, StartDocument
from controlplane.documents.appointments import appointment_document, freeze_document
from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.fields import parse
from controlplane.documents.plan_templates import template_documents
from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.checklist import Phase
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.usecases import (
    appointments,
    attachments,
    checklists,
    disabling,
    environments,
    features,
    finishing,
    flags,
    freezes,
    people,
    rollouts,
    signing_in,
    tokens,
)
from controlplane.usecases.answers import answer_flag, describe_flag
from controlplane.usecases.backtest import backtest
from controlplane.usecases.changing import Cause, Place
from controlplane.usecases.entries import describe_entry
from controlplane.usecases.evidence import Asked, evidence_series
from controlplane.usecases.finish import describe_finish, list_stale
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.instances import convergence
from controlplane.usecases.listing import describe_flags
from controlplane.usecases.reconciling import reconciled, show_backlog
from controlplane.usecases.reporting import migration_report
from controlplane.usecases.snapshots import current_snapshot
from web.cli.plane import Answer, Page
from web.cli.webhook_planes import LocalWebhooks

VERBS = {
    "pause": rollouts.pause,
    "resume": rollouts.resume,
    "advance": rollouts.advance,
    "step-back": rollouts.step_back,
    "approve": rollouts.approve,
    "abort": rollouts.abort,
    "unlock": rollouts.unlock,
}


def operator() -> Actor:
    """Whoever has this shell: who can open the database need not sign in, but is written down."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = f"uid {os.getuid()}"
    return Actor(ActorKind.PERSON, f"shell:{name}")


class Local:
    """A `Plane` on an open store."""

    def __init__(self, store: Store, settings: Settings, environment: str) -> None:
        self._store = store
        self._settings = settings
        self._clockwork = settings.clockwork
        self._environment = environment

    def _because(self, reason: str = "") -> Cause:
        return Cause(operator(), utc_now(), reason)

    def _place(self, flag: str) -> Place:
        return Place(self._environment, flag)

    def list_flags(self, *, archived: bool) -> list[Answer]:
        return describe_flags(self._store, self._environment, utc_now(), archived=archived)

    def show_flag(self, flag: str) -> Answer:
        return describe_flag(self._store, self._place(flag), utc_now())

    def create_flag(self, document: Mapping[str, Any], reason: str) -> Answer:
        new = flags.create_flag(self._store, self._environment, document, self._because(reason))
        return answer_flag(new, None, utc_now())

    def replace_flag(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        changed = flags.replace_flag(self._store, self._place(flag), document, self._because(reason))
        return answer_flag(changed, None, utc_now())

    def enable(self, flag: str, reason: str) -> Answer:
        return answer_flag(flags.enable_flag(self._store, self._place(flag), self._because(reason)), None, utc_now())

    def disable(self, flag: str, reason: str) -> Answer:
        place = self._place(flag)
        changed = flags.disable_flag(self._store, place, self._because(reason))
        return answer_flag(changed, None, utc_now(), show_backlog(self._store, place))

    def set_percent(self, flag: str, operation: str, percent: float, reason: str) -> Answer:
        document = {"percent": percent}
        changed = flags.set_operation(self._store, self._place(flag), operation, document, self._because(reason))
        return answer_flag(changed, None, utc_now())

    def act(self, flag: str, verb: str, reason: str, operation: str | None = None, confirm: str = "") -> Answer:
        why, place = self._because(reason), self._place(flag)
        if verb == "rollback":
            changed = rollouts.roll_back(self._store, place, why, operation)
        elif verb == "advance":
            changed = rollouts.advance(self._store, place, why, confirm)
        else:
            changed = VERBS[verb](self._store, place, why)
        return answer_flag(changed, None, utc_now(), show_backlog(self._store, place))

    def reconciled(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        told = parse(ReconciledDocument, document)
        reconciled(self._store, self._place(flag), told, self._because(reason))
        return self.show_flag(flag)

    def finish(self, flag: str, reason: str, confirm: str, *, despite_criteria: bool) -> Answer:
        why, place = self._because(reason), self._place(flag)
        changed = finishing.finish(self._store, place, why, confirm=confirm, despite_criteria=despite_criteria)
        return answer_flag(changed, None, utc_now(), show_backlog(self._store, place))

    def show_evidence(self, flag: str, wanted: Mapping[str, str]) -> Answer:
        attempt, at = wanted.get("attempt"), wanted.get("at", "")
        entry = int(at) if at.isdecimal() else None
        asked = Asked(int(attempt) if attempt else None, None, None if entry else _instant(at or None), entry)
        return evidence_series(self._store, self._place(flag), utc_now(), self._clockwork, asked)

    def set_plan(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        changed = flags.set_plan(self._store, self._place(flag), document, self._because(reason))
        return answer_flag(changed, None, utc_now())

    def set_targeting(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        changed = features.set_targeting(self._store, self._place(flag), document, self._because(reason))
        return answer_flag(changed, None, utc_now())

    def copy_plan(self, flag: str, source: str, reason: str) -> Answer:
        changed = flags.copy_plan(self._store, self._place(flag), source, self._because(reason))
        return answer_flag(changed, None, utc_now())

    def convergence(self, flag: str) -> Answer:
        return convergence(self._store, self._place(flag), utc_now())

    def start(self, flag: str, reason: str, at: str | None) -> Answer:
        due = parse(StartDocument, {"at": at}).at
        return answer_flag(rollouts.start(self._store, self._place(flag), self._because(reason), due), None, utc_now())

    def finish_line(self, flag: str) -> Answer:
        return describe_finish(self._store, self._place(flag), utc_now())

    def list_stale(self) -> list[Answer]:
        return list_stale(self._store, self._environment, utc_now())

    def report(self, flag: str) -> Answer:
        return migration_report(self._store, self._place(flag), utc_now())

    def show_checklist(self, flag: str, phase: str) -> Answer:
        return checklists.show_checklist(self._store, self._place(flag), Phase(phase))

    def replace_checklist(self, flag: str, phase: str, document: Mapping[str, Any], reason: str) -> Answer:
        place, which = self._place(flag), Phase(phase)
        checklists.replace_checklist(self._store, place, which, document, self._because(reason))
        return self.show_checklist(flag, phase)

    def set_item(self, flag: str, phase: str, item: str, document: Mapping[str, Any], reason: str) -> Answer:
        place, which = self._place(flag), Phase(phase)
        checklists.set_item(self._store, place, which, item, document, self._because(reason))
        return self.show_checklist(flag, phase)

    def attach(self, flag: str, document: Mapping[str, Any], reason: str) -> Answer:
        return attachments.attach(self._store, self._place(flag), document, self._because(reason))

    def list_appointments(self, flag: str) -> list[Answer]:
        return [appointment_document(each) for each in appointments.list_appointments(self._store, self._place(flag))]

    def make_appointment(self, flag: str, document: Mapping[str, Any]) -> Answer:
        made = appointments.make_appointment(self._store, self._place(flag), document, self._because())
        return appointment_document(made)

    def cancel_appointment(self, flag: str, number: int, reason: str) -> Answer:
        over = appointments.cancel_appointment(self._store, self._place(flag), number, self._because(reason))
        return appointment_document(over)

    def list_plan_templates(self) -> list[Answer]:
        return list(template_documents())

    def list_freezes(self) -> list[Answer]:
        return [freeze_document(each) for each in freezes.list_freezes(self._store, self._environment)]

    def add_freeze(self, document: Mapping[str, Any], reason: str) -> Answer:
        return freeze_document(freezes.add_freeze(self._store, self._environment, document, self._because(reason)))

    def remove_freeze(self, number: int, reason: str) -> Answer:
        return freeze_document(freezes.remove_freeze(self._store, self._environment, number, self._because(reason)))

    def backtest(self, flag: str, document: Mapping[str, Any]) -> Answer:
        """Over any stretch: nobody waits for a page here."""
        asked = parse(BacktestDocument, document)
        return backtest(self._store, self._place(flag), asked, utc_now(), self._clockwork, None)

    def list_environments(self) -> list[Answer]:
        return [environments.answer_environment(each) for each in environments.list_environments(self._store)]

    def create_environment(self, name: str, reason: str) -> Answer:
        new = environments.create_environment(self._store, name, self._because(reason))
        return environments.answer_environment(new)

    def set_environment(self, name: str, reason: str, *, require_reason: bool) -> Answer:
        why = self._because(reason)
        return environments.answer_environment(
            environments.set_environment(self._store, name, why, require_reason=require_reason)
        )

    def snapshot(self) -> Answer:
        return current_snapshot(self._store, self._environment, self._clockwork)

    def read_audit(self, wanted: Mapping[str, str], before: int | None, limit: int) -> Page:
        flag, actor, action = (wanted.get(name) for name in ("flag", "actor", "action"))
        since, until = (_instant(wanted.get(name)) for name in ("since", "until"))
        chosen = Filter(flag=flag, actor=actor, action=action, since=since, until=until, before=before)
        page = list_entries(self._store, self._environment, chosen, limit)
        return Page([describe_entry(each) for each in page.items], page.next)

    def verify_audit(self) -> Answer:
        found = verify(self._store, self._environment)
        broken = {"entry": found.broken.entry, "because": found.broken.because} if found.broken else None
        return {"environment": self._environment, "length": found.length, "head": found.head, "broken": broken}

    def list_tokens(self) -> list[Answer]:
        return [token_document(each) for each in tokens.list_tokens(self._store)]

    def create_token(self, document: Mapping[str, Any], reason: str) -> Answer:
        wanted = parse(TokenDocument, document).to_domain()
        token, secret = tokens.create_token(self._store, wanted, self._because(reason))
        return {**token_document(token), "secret": secret}

    def revoke_token(self, token: int, reason: str) -> Answer:
        return token_document(tokens.revoke_token(self._store, token, self._because(reason)))

    @property
    def webhooks(self) -> LocalWebhooks:
        return LocalWebhooks(self._store, self._settings, self._because)

    def list_people(self) -> list[Answer]:
        return [person_document(each) for each in people.list_people(self._store)]

    def add_person(self, document: Mapping[str, Any], reason: str) -> Answer:
        given = parse(PersonDocument, document)
        new = people.add_person(self._store, given.email, given.role, self._because(reason), given.environment)
        return person_document(new)

    def create_link(self, email: str) -> Answer:
        return {"email": email, "secret": signing_in.create_link(self._store, email, self._because())}

    def disable_person(self, email: str, reason: str) -> Answer:
        person = people.find_person(self._store, email)
        return person_document(disabling.disable_person(self._store, person.id, self._because(reason)))

    def enable_person(self, email: str, reason: str) -> Answer:
        person = people.find_person(self._store, email)
        return person_document(disabling.enable_person(self._store, person.id, self._because(reason)))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
