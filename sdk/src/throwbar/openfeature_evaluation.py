"""What is a service answered for a feature, and who hears of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagType, FlagValueType, Reason

from throwbar.hooks import Evaluation

if TYPE_CHECKING:
    from throwbar.engine import Engine
    from throwbar.openfeature_flag_set import FlagSet


def resolve_feature(
    engine: Engine, flag_set: FlagSet, asked: tuple[FlagType, str, FlagValueType], context: EvaluationContext
) -> FlagResolutionDetails[Any]:
    """Of (type, flag, default). Hooks are told, also of one of OpenFeature's errors, which is raised."""
    kind, flag, default = asked
    if not engine.hooks:
        return flag_set.resolve(kind, flag, default, context)
    said = Evaluation(flag, None, Reason.ERROR, flag_set.environment, str(flag_set.version))
    try:
        details = flag_set.resolve(kind, flag, default, context)
        said = said._replace(variant=details.variant, reason=str(details.reason))
        return details
    except OpenFeatureError as error:
        said = said._replace(error=str(error.error_code), message=error.error_message or "")
        raise
    finally:
        engine.tell_hooks(lambda hook: hook.evaluated(said, context.targeting_key or None))
