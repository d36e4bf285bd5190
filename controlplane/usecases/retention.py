"""Retention: closed telemetry is packed at every grain, and what is past its time is dropped.

In small steps, each a transaction fenced by the lease: a crash between any two of them loses and doubles nothing, and
nobody waits long for the one writer that SQLite has.
"""

from collections.abc import Sequence
from datetime import datetime

from controlplane.domain.audit import Action
from controlplane.domain.retention import Grain, Retention
from controlplane.store import Store, UnitOfWork
from controlplane.store.lease import Lease
from controlplane.usecases.telemetry import TOO_EARLY, TOO_OLD
from controlplane.usecases.trail import thin_trail

CLOSED_AFTER = TOO_OLD + TOO_EARLY  # seconds after its start in which a report may add to a bucket
DECISIONS = (
    Action.ROLLOUT_ROLL_BACK,
    Action.ROLLOUT_WOULD_ROLL_BACK,
    Action.ROLLOUT_HOLD,
    Action.ROLLOUT_PAUSE,
    Action.ROLLOUT_COMPLETE,
    Action.ROLLOUT_ADVANCE,
)
HOUR = 3_600  # of rows before a decision that are spared, at least
AFTERMATH = 600  # seconds after it

Range = tuple[int, int]  # starts from the first until before the second


def pack_next(store: Store, lease: Lease, now: datetime) -> int:
    """Move one operation's closed cells of ten minutes into packs; how many, 0 when nothing is left to do.

    What arrives later all the same is added to them the same way. Raises LeaseLost.
    """
    length = Grain.RAW.packed_seconds
    closed = (int(now.timestamp()) - CLOSED_AFTER) // length * length
    with store.reading() as uow:
        if uow.buckets.oldest(closed) is None:
            return 0
    with store.writing() as uow:
        uow.leases.check(lease)
        oldest = uow.buckets.oldest(closed)
        if oldest is None:
            return 0
        environment_id, place = oldest
        first = place.start // length * length
        cells = uow.buckets.take(environment_id, place.flag, place.operation, first, first + length)
        for grain in Grain:
            uow.packs.add(environment_id, grain, cells)
        uow.commit()
    return len(cells)


def thin(store: Store, lease: Lease, now: datetime, retention: Retention) -> int:
    """Drop packs that are past the time of their grain; how many. Raises LeaseLost."""
    dropped = 0
    for environment_id in _environments(store):
        with store.reading() as uow:
            flags = sorted(uow.flags.keys(environment_id))
            judged = uow.watches.judged_until(environment_id)
            decided = uow.audit.decisions(environment_id, DECISIONS, now - retention.decisions)
        for flag in flags:
            with store.writing() as uow:
                uow.leases.check(lease)
                kept = _kept_from(uow, environment_id, flag, judged.get(flag), int((now - retention.raw).timestamp()))
                spared = [_spared(uow, environment_id, flag, *each) for each in decided.get(flag, ())]
                dropped += _drop(uow, environment_id, flag, (kept, spared), now, retention)
                thin_trail(uow, environment_id, flag, now)
                uow.commit()
    return dropped


def _environments(store: Store) -> list[int]:
    with store.reading() as uow:
        return [each.id for each in uow.environments.all()]


def _kept_from(uow: UnitOfWork, environment_id: int, flag: str, judged: tuple[int, int] | None, due: int) -> int:
    """Raw cells from here on are kept: those that are not due, and those since the checkpoint before them."""
    if judged is None or judged[1] <= due:
        return due
    checkpoint = uow.checkpoints.before(environment_id, flag, judged[0], due)
    if checkpoint is None:
        return due  # the attempt began later
    uow.checkpoints.mark_thinned(environment_id, flag, judged[0], checkpoint.start)
    return checkpoint.start


def _spared(uow: UnitOfWork, environment_id: int, flag: str, attempt: int, judged_until: int) -> Range:
    """What a decision is recomputed from: the rows since a checkpoint an hour before it, or since its attempt began."""
    checkpoint = uow.checkpoints.before(environment_id, flag, attempt, judged_until - HOUR)
    return (checkpoint.start if checkpoint else judged_until - 2 * HOUR), judged_until + AFTERMATH


def _drop(
    uow: UnitOfWork, environment_id: int, flag: str, raw: tuple[int, Sequence[Range]], now: datetime, kept: Retention
) -> int:
    limits = {Grain.MINUTE: kept.minutes, Grain.HOUR: kept.hours}
    dropped = uow.packs.forget(environment_id, flag, Grain.RAW, *raw)
    for grain, time in limits.items():
        dropped += uow.packs.forget(environment_id, flag, grain, int((now - time).timestamp()))
    return dropped
