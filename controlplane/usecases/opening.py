"""Opening: what an attempt begins with, and the checkpoints from which it can be recomputed."""

from datetime import datetime

from controlplane.domain.flag import Flag
from controlplane.domain.observation import Evidence
from controlplane.store.checkpoints import Checkpoint
from controlplane.store.environments import Environment
from controlplane.store.watches import Watch
from controlplane.usecases.prechecking import before
from controlplane.usecases.surveying import Reads

CHECKPOINT_EVERY = 6 * 3600  # seconds of telemetry: what has to be folded to see the evidence at any instant


def opened(uow: Reads, environment: Environment, flag: Flag, kept: Watch | None, until: int, now: datetime) -> Watch:
    """A new attempt starts with the pre-check and with the baseline's history, which edges of latency are taken from:
    that of the attempt before, else that of the calls before the first one, so that its first bucket is bet on.
    """
    entered = flag.rollout.entered_at or flag.updated_at or now
    first = min(until, int(entered.timestamp()))
    first -= first % 60
    evidence = {name: Evidence(history=seen.history) for name, seen in kept.evidence.items()} if kept else {}
    for name, known in (before(uow, environment.id, flag, first) if flag.guardrails else {}).items():
        history = evidence.get(name, Evidence()).history or known.history
        check = known.precheck
        evidence[name] = Evidence(history=history, precheck=check, design_effect=check.effect)
    return Watch(flag.key, flag.rollout.attempt, first, now, evidence=evidence)


def due(flag: Flag, watch: Watch) -> Checkpoint | None:
    """A checkpoint where an attempt opens, where the flag is another than it was, and every few hours."""
    same = watch.version == flag.version and watch.checkpoint is not None
    if same and watch.judged_until - (watch.checkpoint or 0) < CHECKPOINT_EVERY:
        return None
    return Checkpoint(flag.key, watch.attempt, watch.judged_until, flag.version, watch.evidence, watch.ledgers)
