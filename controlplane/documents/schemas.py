"""The shapes of bodies and answers as JSON Schema, made from the documents themselves so that they cannot go stale."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from controlplane.documents.access import (
    EnvironmentDocument,
    EnvironmentPatch,
    PersonDocument,
    RoleDocument,
    TokenDocument,
)
from controlplane.documents.acts import (
    ActDocument,
    CopyPlanDocument,
    FinishDocument,
    ReasonDocument,
    ReconciledDocument,
    RevertDocument,
    StartDocument,
)
from controlplane.documents.appointments import AppointmentDocument, FreezeDocument
from controlplane.documents.attachment import AttachmentDocument
from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.checklist import ChecklistDocument, ItemDocument
from controlplane.documents.definition import OperationDocument
from controlplane.documents.feature import FeatureDocument
from controlplane.documents.flag import FlagDocument
from controlplane.documents.guardrails import GuardrailsDocument
from controlplane.documents.plan import PlanDocument
from controlplane.documents.webhooks import RotateDocument, WebhookDocument

BODIES: tuple[type[BaseModel], ...] = (
    ActDocument,
    AppointmentDocument,
    AttachmentDocument,
    BacktestDocument,
    ChecklistDocument,
    EnvironmentDocument,
    EnvironmentPatch,
    FeatureDocument,
    FinishDocument,
    FlagDocument,
    FreezeDocument,
    GuardrailsDocument,
    ItemDocument,
    OperationDocument,
    PersonDocument,
    PlanDocument,
    CopyPlanDocument,
    ReasonDocument,
    ReconciledDocument,
    RevertDocument,
    RoleDocument,
    RotateDocument,
    StartDocument,
    TokenDocument,
    WebhookDocument,
)
_PLACE = "#/components/schemas/{model}"


def body_schemas() -> dict[str, Any]:
    """Name → JSON Schema (2020-12), with what they refer to."""
    _, found = models_json_schema([(each, "validation") for each in BODIES], ref_template=_PLACE)
    schemas: dict[str, Any] = found["$defs"]
    return schemas
