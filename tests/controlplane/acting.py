"""What the scheduler does to a flag, done at once: its judgement is another test's business."""

from dataclasses import replace
from datetime import datetime

from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import ATTEMPT_LIMIT, COOL_DOWN
from controlplane.store import Store
from controlplane.usecases import rollouts
from controlplane.usecases.changing import Order, Place, change_flag
from tests.builders import NOW, a_cause


def scheduler_takes_back(store: Store, place: Place, at: datetime = NOW) -> Flag:
    cause = replace(a_cause(at), actor=SCHEDULER)
    order = Order(Action.ROLLOUT_ROLL_BACK, lambda seen: rollouts.taken_back(seen, cause, None, automatic=True))
    return change_flag(store, place, cause, order)


def lock(store: Store, place: Place) -> Flag:
    """Started and taken back until a person has to unlock it."""
    for number in range(ATTEMPT_LIMIT):
        at = NOW + number * COOL_DOWN
        rollouts.start(store, place, a_cause(at))
        flag = scheduler_takes_back(store, place, at)
    return flag
