"""What a pipeline attaches to a migration, and what follows from it for the rollout."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from controlplane.documents.attachment import AttachmentDocument, attachment_document
from controlplane.documents.fields import parse
from controlplane.domain.audit import Action, Change
from controlplane.store import Store
from controlplane.usecases.changing import Cause, Order, Place, change_beside
from controlplane.usecases.checklists import points_now


def attach(store: Store, place: Place, document: Mapping[str, Any], cause: Cause) -> dict[str, Any]:
    """Keep a run of tests, and write it down. Raises InvalidInput, NotFound."""
    given = parse(AttachmentDocument, document).to_domain(cause.actor.name, cause.at)
    if not cause.reason.strip():
        cause = replace(cause, reason=f"{given.suite} {document['result']} at {given.commit}")
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        flag = uow.flags.get(environment.id, place.flag)
        kept = attachment_document(uow.attachments.add(environment.id, flag.key, given))
        points = points_now(uow, environment.id, flag.key)
        order = Order(Action.EVIDENCE_ATTACH, lambda same: replace(same, blocked_by=points))
        told = {name: kept[name] for name in ("commit", "result", "link", "notes")}
        change_beside(uow, environment, flag, cause, order, (Change(f"tests.{given.suite}", None, told),))
        uow.commit()
    return kept


def list_attachments(store: Store, place: Place, limit: int = 100) -> list[dict[str, Any]]:
    """From the newest backwards. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        return [attachment_document(each) for each in uow.attachments.newest(environment.id, flag.key, limit)]
