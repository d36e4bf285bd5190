"""What do features answer? A flagd definition as the control plane publishes it, evaluated by flagd's own core.

Migrations are in the definition, too, for services of other makes. Here `decide` answers for them, which knows
breakers, pins and overrides; so it does for features that are moved from one variant to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import GeneralError, OpenFeatureError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagType, FlagValueType

from throwbar.errors import SnapshotError
from throwbar.fields import check_fields
from throwbar.snapshot import BUCKETING

# What JsonLogic comes to when an attribute is of a type that the targeting did not think of.
_MISHAPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_TYPES: Mapping[FlagType, tuple[type, ...]] = {
    FlagType.BOOLEAN: (bool,),
    FlagType.STRING: (str,),
    FlagType.INTEGER: (int,),
    FlagType.FLOAT: (int, float),
    FlagType.OBJECT: (dict, list),
}
_FRAME = {"flags": dict, "throwbar": dict, "metadata": dict}
_OURS = {"source": str, "version": int, "bucketing": str}


class FlagSet:
    """One version of all features: flag key → flagd flag. Raises SnapshotError for what flagd's core refuses."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        ours = document["throwbar"]
        self.source: str = ours["source"]
        self.version: int = ours["version"]
        self.environment = str(document.get("metadata", {}).get("flagSetId", ""))
        self.features: Mapping[str, Any] = {
            key: flag for key, flag in document["flags"].items() if not _is_migration(flag)
        }
        self._core = FlagdCore()
        try:
            self._core.set_flags(json.dumps({**document, "flags": self.features}))
        except OpenFeatureError as error:
            raise SnapshotError(f"flagd cannot read the features: {error.error_message}") from None
        except _MISHAPS as error:
            raise SnapshotError(f"flagd cannot read the features: {error!r}") from None

    def supersedes(self, other: FlagSet) -> bool:
        """A lower version of the same source is a late answer."""
        return self.source != other.source or self.version >= other.version

    def value(self, kind: FlagType, flag: str, variant: str) -> FlagValueType:
        """Of a variant that was chosen already. Raises one of OpenFeature's errors."""
        variants = self.features[flag]["variants"]
        if variant not in variants:
            raise GeneralError(f"feature {flag} has no variant {variant}")
        value: FlagValueType = variants[variant]
        # Exact types: Python's true is an int, and flagd's core would make it the float 1.0.
        if type(value) not in _TYPES[kind]:
            raise TypeMismatchError(f"feature {flag} is of type {type(value).__name__}, not {kind.lower()}")
        if kind is FlagType.OBJECT:
            return deepcopy(value)  # the caller's own: what is done to it must not be what the next one gets
        return float(value) if kind is FlagType.FLOAT and isinstance(value, int) else value

    def resolve(
        self, kind: FlagType, flag: str, default: FlagValueType, context: EvaluationContext
    ) -> FlagResolutionDetails[Any]:
        """What flagd's core makes of the targeting. Raises one of OpenFeature's errors."""
        resolve = getattr(self._core, f"resolve_{kind.lower()}_value")
        try:
            details: FlagResolutionDetails[Any] = resolve(flag, default, context)
        except _MISHAPS as error:
            name = type(error).__name__
            raise GeneralError(f"the targeting of {flag} cannot be evaluated with this context: {name}") from None
        if details.variant is not None:
            details.value = self.value(kind, flag, details.variant)
        return details


def read_flag_set(body: bytes) -> FlagSet:
    """Of the definition's bytes. Raises SnapshotError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"the definition is not JSON: {error}") from None
    check_fields(document, ("the definition",), _FRAME, _FRAME)
    check_fields(document["throwbar"], ("throwbar",), _OURS, _OURS)
    if document["throwbar"]["bucketing"] != BUCKETING:
        raise SnapshotError(
            f"throwbar.bucketing is {document['throwbar']['bucketing']!r}, and keys are placed by {BUCKETING}"
        )
    return FlagSet(document)


def _is_migration(flag: object) -> bool:
    metadata = flag.get("metadata") if isinstance(flag, dict) else None
    return isinstance(metadata, dict) and metadata.get("kind") == "migration"
