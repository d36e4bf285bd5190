"""What does a migration answer to OpenFeature? What `decide` says, in OpenFeature's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, GeneralError, InvalidContextError, ProviderNotReadyError
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.flag_evaluation import Reason as StandardReason

from throwbar.decision import Decision, Reason
from throwbar.names import LONGEST, sendable
from throwbar.standard_reasons import STANDARD_REASONS

if TYPE_CHECKING:
    from throwbar.client import Client
    from throwbar.plan import FlagPlan

OPERATION = "operation"  # the attribute of a context that names it


def resolve_migration(
    client: Client, flag: str, default: str, context: EvaluationContext
) -> FlagResolutionDetails[str]:
    """The backend. Raises one of OpenFeature's errors."""
    plan = client.engine.snapshot.flags.get(flag)
    operation = _operation(client, flag, plan, context.attributes)
    migration = client.migrations.using(flag, operation) or client.migration(
        flag, baseline=default if sendable(default) else "baseline"
    )
    decision = migration.decide(operation, key=context.targeting_key, attributes=context.attributes)
    if decision.reason is Reason.SDK_ERROR:
        raise GeneralError("an error inside the SDK: see the log of this process")
    if decision.reason is Reason.FLAG_MISSING or (decision.reason is Reason.NOT_READY and not decision.version):
        raise missing(client, flag)
    return FlagResolutionDetails(
        value=decision.backend,
        variant=decision.backend,
        reason=StandardReason(STANDARD_REASONS[decision.reason]),
        flag_metadata=_metadata(client, decision),
    )


def missing(client: Client, flag: str) -> FlagNotFoundError | ProviderNotReadyError:
    """Why nothing can be said of this flag."""
    snapshot = client.engine.snapshot
    if not snapshot.ready:
        return ProviderNotReadyError(client.status().last_error or "no snapshot has come yet")
    return FlagNotFoundError(f"the environment {snapshot.environment} has no flag {flag}")


def _operation(client: Client, flag: str, plan: FlagPlan | None, attributes: Mapping[str, object]) -> str:
    named = attributes.get(OPERATION)
    if isinstance(named, str) and sendable(named) and sendable(flag):
        return named
    if plan is None:
        raise missing(client, flag)
    if named is not None:
        raise InvalidContextError(
            f"the attribute {OPERATION} is {named!r}, not the name of an operation: 1 to {LONGEST} printable characters"
        )
    listed = list(plan.raw["operations"])
    if len(listed) == 1:
        return str(listed[0])
    if not listed:
        raise InvalidContextError(f"flag {flag} has no operation yet, and the context names none")
    raise InvalidContextError(
        f"flag {flag} has the operations {', '.join(listed)}: name one in the attribute {OPERATION} of the context"
    )


def _metadata(client: Client, decision: Decision) -> dict[str, bool | int | float | str]:
    return {
        "flagSetId": client.engine.snapshot.environment,
        "version": str(decision.version),
        "kind": "migration",
        "operation": decision.operation,
        "candidate": decision.candidate,
        "reason": str(decision.reason),
    }
