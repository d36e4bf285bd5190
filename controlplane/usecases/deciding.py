"""Who gets what: the decision that services make for a key, asked of the server."""

from collections.abc import Mapping
from typing import Any

from controlplane.domain.decision import decide
from controlplane.domain.flag import Side
from controlplane.store import Store
from controlplane.usecases.changing import Place


def decision_for(
    store: Store, place: Place, operation: str, key: str | None, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """`version` is the snapshot's, as in a decision of the SDK. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
    found = decide(flag, operation, key, attributes)
    return {
        "flag": flag.key,
        "operation": operation,
        "key": key,
        "side": found.side.value,
        "backend": flag.candidate if found.side is Side.CANDIDATE else flag.baseline,
        "candidate": found.side is Side.CANDIDATE,
        "reason": found.reason.value,
        "sentence": found.sentence,
        "rule": found.rule,
        "bucket": found.bucket,
        "version": environment.version,
    }
