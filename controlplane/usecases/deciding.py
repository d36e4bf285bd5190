"""Who gets what: the decision that services make for a key, asked of the server."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from controlplane.domain.decision import Reason, decide
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag import Flag, Side
from controlplane.domain.flag_set import compile_flag_set
from controlplane.evaluator import Context, Evaluation, Evaluator, Failure, fault_of
from controlplane.store import Store
from controlplane.usecases.changing import Place

TARGETING, DEFAULT, ERROR = "targeting", "default", "error"  # reasons that only features know
_BEFORE = frozenset({Reason.FLAG_MISSING, Reason.DISABLED, Reason.ROLLED_BACK, Reason.OPERATION_NOT_LISTED})


@dataclass(frozen=True, slots=True)
class Question:
    """One call. `operation` "" where a feature is not moved."""

    operation: str
    key: str | None
    attributes: Mapping[str, Any]


def decision_for(
    store: Store, place: Place, operation: str, key: str | None, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """`version` is the snapshot's, as in a decision of the SDK. Of a feature also its variant and value.

    `operation` "": the only one of the flag. Raises NotFound, and InvalidInput where it has several.
    """
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
    asked = Question(operation or _only_operation(flag), key, attributes)
    if flag.candidate and not asked.operation:
        raise InvalidInput((FieldError("operation", "must name an operation, as in ?operation=echo"),))
    told = {"flag": flag.key, "operation": asked.operation, "key": key, "version": environment.version}
    return told | (_of_a_feature(flag, asked) if flag.feature else _decided(flag, asked))


def _only_operation(flag: Flag) -> str:
    return next(iter(flag.operations), "") if len(flag.operations) == 1 else ""


def _decided(flag: Flag, asked: Question) -> dict[str, Any]:
    found = decide(flag, asked.operation, asked.key, asked.attributes)
    return {
        "side": found.side.value,
        "backend": flag.candidate if found.side is Side.CANDIDATE else flag.baseline,
        "candidate": found.side is Side.CANDIDATE,
        "reason": found.reason.value,
        "sentence": found.sentence,
        "rule": found.rule,
        "bucket": found.bucket,
    }


def _of_a_feature(flag: Flag, asked: Question) -> dict[str, Any]:
    """Its targeting comes before rules and share, and behind everything that takes all calls back."""
    decided = _decided(flag, asked) if flag.candidate else _unmoved(flag)
    targeted = None if decided["reason"] in _BEFORE else _targeted(flag, asked)
    if isinstance(targeted, Failure):
        sentence = f"The targeting comes to nothing, and services get the default of their code: {targeted.details}."
        return {**decided, **_outcome(flag, None), "reason": ERROR, "sentence": sentence}
    if targeted:
        sentence = f"The targeting comes to {targeted.variant}."
        return {**decided, **_outcome(flag, targeted.variant), "reason": TARGETING, "sentence": sentence}
    return {**decided, **_outcome(flag, decided["backend"])}


def _unmoved(flag: Flag) -> dict[str, Any]:
    reason, sentence = DEFAULT, "The targeting names nothing for it."
    if flag.retired_at:
        reason, sentence = Reason.FLAG_MISSING, "The flag is retired, so no service is told about it."
    elif not flag.enabled:
        reason, sentence = Reason.DISABLED, "The flag is disabled."
    elif flag.rolled_back:
        reason, sentence = Reason.ROLLED_BACK, "The flag is rolled back, which beats its targeting."
    elif not (flag.feature and flag.feature.targeting):
        sentence = "The flag has no targeting."
    return {"backend": flag.baseline, "reason": str(reason), "sentence": sentence, "rule": None, "bucket": None}


def _targeted(flag: Flag, asked: Question) -> Evaluation | Failure | None:
    """What the targeting alone comes to; None where it comes to null, or there is none."""
    if flag.archived_at and flag.candidate:
        return None
    alone = replace(flag, candidate="", operations={}, rules=())
    evaluator = Evaluator(compile_flag_set("", "", 0, [alone], fault_of))
    found = evaluator.evaluate(flag.key, Context(asked.key, {"operation": asked.operation, **asked.attributes}))
    return None if isinstance(found, Evaluation) and found.reason != "TARGETING_MATCH" else found


def _outcome(flag: Flag, variant: str | None) -> dict[str, Any]:
    variants = flag.feature.variants if flag.feature else {}
    side = {flag.candidate: Side.CANDIDATE.value, flag.baseline: Side.BASELINE.value}.get(variant or "")
    return {
        "side": side,
        "backend": variant,
        "variant": variant,
        "value": None if variant is None else variants[variant],
        "candidate": side == Side.CANDIDATE,
    }
