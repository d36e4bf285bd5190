"""Replaying: the evidence of an attempt once more, from the buckets that are stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controlplane.domain.bucket import Bucket
from controlplane.domain.flag import Flag
from controlplane.domain.ledger import Ledger
from controlplane.domain.observation import Evidence
from controlplane.store import UnitOfWork
from controlplane.store.cells import Cells
from controlplane.store.checkpoints import Checkpoint
from controlplane.usecases.buckets import buckets_of, is_served
from controlplane.usecases.judging import put_in


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was known when every bucket that starts before `until` was in the evidence.

    `flag` is its definition as it was judged then. `buckets` is what the newest start brought, by operation. `since`
    is where the recomputation began: a checkpoint's start, or None where it began at nothing; `opens` says that the
    state is a checkpoint's, or the very first one.
    """

    until: int
    flag: Flag
    since: int | None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt of which flag."""

    environment_id: int
    flag: str
    number: int


def replay(uow: UnitOfWork, attempt: Attempt, until: int, *, since: int | None = None) -> Iterator[Replayed]:
    """One state for where it begins and one for each bucket, in the order of time, up to `until`.

    It begins at the attempt's first checkpoint, with nothing but the baseline's history, and goes on by the definition
    of the flag that each checkpoint names. Where the rows before a checkpoint are no longer those that were judged
    (they were thinned), it begins anew at that checkpoint, and `since` says so: what came between it and the checkpoint
    before it is void. With `since`, the newest checkpoint at
    or before that instant is believed. An attempt without any begins at nothing, by the flag's present definition.
    """
    checkpoints = [each for each in _believed(uow, attempt, since) if each.start < until]
    if not checkpoints:
        yield from _folded(uow, attempt, _from_nothing(uow, attempt), (0, until))
        return
    state = _from_checkpoint(uow, attempt, checkpoints[0])
    for number, checkpoint in enumerate(checkpoints):
        if number:
            state = _carried_on(uow, attempt, state, checkpoint)
        following = checkpoints[number + 1].start if number + 1 < len(checkpoints) else until
        for state in _folded(uow, attempt, state, (checkpoint.start, following)):  # noqa: B020 - the fold goes on
            yield state


def _believed(uow: UnitOfWork, attempt: Attempt, since: int | None) -> Sequence[Checkpoint]:
    found = uow.checkpoints.of(attempt.environment_id, attempt.flag, attempt.number)
    earlier = [number for number, each in enumerate(found) if since is not None and each.start <= since]
    return found[earlier[-1] if earlier else 0 :]


def _from_nothing(uow: UnitOfWork, attempt: Attempt) -> Replayed:
    return Replayed(0, uow.flags.get(attempt.environment_id, attempt.flag), None)


def _from_checkpoint(uow: UnitOfWork, attempt: Attempt, checkpoint: Checkpoint) -> Replayed:
    flag = uow.flags.definition_at(attempt.environment_id, attempt.flag, checkpoint.version)
    return Replayed(checkpoint.start, flag, checkpoint.start, checkpoint.evidence, checkpoint.ledgers)


def _carried_on(uow: UnitOfWork, attempt: Attempt, state: Replayed, checkpoint: Checkpoint) -> Replayed:
    """The state under the checkpoint's definition; the checkpoint itself where other rows went into it."""
    stored = _from_checkpoint(uow, attempt, checkpoint)
    if _digests(state.ledgers) != _digests(checkpoint.ledgers):
        return stored
    return replace(state, flag=stored.flag, until=checkpoint.start, buckets={}, opens=True)


def _digests(ledgers: Mapping[str, Ledger]) -> dict[str, str]:
    return {name: each.digest for name, each in ledgers.items()}


def _folded(uow: UnitOfWork, attempt: Attempt, state: Replayed, span: tuple[int, int]) -> Iterator[Replayed]:
    yield state
    for buckets in buckets_of(attempt_cells(uow, attempt, *span)):
        evidence, ledgers = dict(state.evidence), dict(state.ledgers)
        put_in(state.flag, buckets, evidence, ledgers)
        start = next(iter(buckets.values())).start
        state = replace(state, until=start + 1, evidence=evidence, ledgers=ledgers, buckets=buckets, opens=False)
        yield state


def attempt_cells(uow: UnitOfWork, attempt: Attempt, first: int, until: int) -> Cells:
    """What was judged of an attempt: without what came too late, and without shadow calls."""
    cells = uow.buckets.between(attempt.environment_id, attempt.flag, first, until)
    return [each for each in cells if each[0].attempt == attempt.number and not each[0].late and is_served(each[0])]
