"""What people do with features alone: say who gets which variant."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from controlplane.domain.audit import Action
from controlplane.domain.errors import Refused
from controlplane.domain.flag import Flag
from controlplane.store import Store
from controlplane.usecases.changing import Cause, Order, Place, change_flag


def set_targeting(store: Store, place: Place, targeting: Mapping[str, Any] | None, cause: Cause) -> Flag:
    """Replace the targeting whole; None or nothing takes it away. Raises InvalidInput, Refused for a migration."""

    def targeted(flag: Flag) -> Flag:
        if flag.feature is None:
            message = f"'{flag.key}' is a migration: it has rules, which say who is served the candidate"
            raise Refused(message)
        return replace(flag, feature=replace(flag.feature, targeting=targeting or None))

    return change_flag(store, place, cause, Order(Action.TARGETING_SET, targeted))
