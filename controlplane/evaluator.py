"""What does a service of another make get? Asked of flagd's own evaluator, so that there is one semantics.

The one room of openfeature-flagd-core. It knows nothing of migrations: it evaluates what is published.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, OpenFeatureError, ParseError
from openfeature.flag_evaluation import FlagResolutionDetails

from controlplane.domain.flag_set import FlagSet

# It writes an error for each evaluation without a key; here that is an ordinary answer, the default variant.
logging.getLogger("openfeature.contrib").setLevel(logging.CRITICAL)

# What JsonLogic comes to when an attribute is of a type that the targeting did not think of.
_MISHAPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)

Metadata = Mapping[str, bool | str | float]


class ErrorCode(StrEnum):
    """OpenFeature's words."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    PARSE_ERROR = "PARSE_ERROR"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    GENERAL = "GENERAL"


@dataclass(frozen=True, slots=True)
class Context:
    """Whom a flag is evaluated for; `key` None: nobody in particular."""

    key: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`reason` is one of STATIC, TARGETING_MATCH and DEFAULT. There is always a variant, and a value of the flag."""

    key: str
    value: Any
    variant: str
    reason: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing can be said, and why."""

    key: str
    code: ErrorCode
    details: str


_Resolve = Callable[[str, Any, EvaluationContext], FlagResolutionDetails[Any]]


class Evaluator:
    """The flags of one flag set, read once. Evaluating changes nothing, so it may be shared."""

    def __init__(self, flag_set: FlagSet) -> None:
        core = FlagdCore()
        core.set_flags(json.dumps(flag_set.document))
        self.metadata: Metadata = core.get_flag_set_metadata()
        self._left_out = flag_set.left_out
        self._resolvers = {
            key: _resolver(core, each["variants"].values()) for key, each in flag_set.document["flags"].items()
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """Every flag of the environment, those that were left out of the definition at the end."""
        return (*self._resolvers, *self._left_out)

    def evaluate(self, key: str, context: Context) -> Evaluation | Failure:
        if key in self._left_out:
            details = f"the definition of '{key}' is malformed and was left out: {self._left_out[key]}"
            return Failure(key, ErrorCode.PARSE_ERROR, details)
        if key not in self._resolvers:
            return Failure(key, ErrorCode.FLAG_NOT_FOUND, f"there is no flag '{key}' in this environment")
        resolve, default = self._resolvers[key]
        try:
            found = resolve(key, default, EvaluationContext(context.key, dict(context.attributes)))
        except OpenFeatureError as error:
            return Failure(key, _code_of(error), error.error_message or type(error).__name__)
        except _MISHAPS as error:
            details = f"the targeting of '{key}' cannot be evaluated with this context: {type(error).__name__}"
            return Failure(key, ErrorCode.GENERAL, details)
        return Evaluation(key, found.value, found.variant or "", str(found.reason), found.flag_metadata)


def fault_of(key: str, flag: Mapping[str, Any]) -> str | None:
    """Why a flagd flag must not be published; None when it may."""
    try:
        FlagdCore().set_flags(json.dumps({"flags": {key: flag}}))
    except ParseError as error:
        return error.error_message or "it has properties that flagd does not know"
    if flag["state"] != "ENABLED":
        return "it is DISABLED, which leaves the choice to each caller's code"
    if flag.get("defaultVariant") not in flag["variants"]:
        return "it has no default variant, and clients need a value"
    if len({_kind(each) for each in flag["variants"].values()}) > 1:
        return "its variants are not all of one type"
    return None


def _kind(value: object) -> str:
    """flagd has one type for numbers."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _resolver(core: FlagdCore, values: Any) -> tuple[_Resolve, Any]:  # noqa: ANN401 - a view of JSON values
    """How the flags of a type are asked for, and what stands in for the default of a caller's code."""
    kinds = {type(each) for each in values}
    if kinds == {bool}:
        return core.resolve_boolean_value, False
    if kinds == {str}:
        return core.resolve_string_value, ""
    if kinds == {int}:
        return core.resolve_integer_value, 0
    if kinds <= {int, float}:
        return core.resolve_float_value, 0.0  # `1` among floats becomes 1.0: some clients refuse the other
    return core.resolve_object_value, {}


def _code_of(error: OpenFeatureError) -> ErrorCode:
    if isinstance(error, FlagNotFoundError):
        return ErrorCode.FLAG_NOT_FOUND
    return ErrorCode.PARSE_ERROR if isinstance(error, ParseError) else ErrorCode.GENERAL
