"""Remembering: what of a look is kept, and what the audit log is told of it."""

from controlplane.domain.findings import Consequence, Finding
from controlplane.domain.rollout import Decision, Rollout, Step
from controlplane.domain.trail import Point, mark_of
from controlplane.store import UnitOfWork
from controlplane.store.watches import Watch
from controlplane.usecases.judging import Look

KEPT_EVERY = 120  # seconds of telemetry: how far a watch of which nothing is heard may lag behind
UNTOLD = frozenset({"no_telemetry", "one_side", "min_samples", "exposure", "checklist", "pairs"})


def telling(decision: Decision, watch: Watch, rollout: Rollout) -> str | None:
    """A word for what the audit log has not been told of this attempt: a doubt that holds, a rollback only reported,
    and that a person is asked.

    Each is told once an attempt, and a question once a stage: evidence that comes and goes is one story. Silence is not
    told: every stage begins with it.
    """
    if decision.asks_somebody:
        word = f"ask:{rollout.stage}:{rollout.entered_at}"
        return None if word in watch.told else word
    finding = decision.finding
    if finding is None or not (finding.consequence is Consequence.REPORT or _is_doubt(decision, finding)):
        return None
    word = f"{finding.consequence}:{finding.operation}:{finding.guardrail}"
    return None if word in watch.told else word


def _is_doubt(decision: Decision, finding: Finding) -> bool:
    return decision.step is Step.HOLD and finding.guardrail not in UNTOLD


def is_news(before: Watch | None, look: Look) -> bool:
    """Whether a look must be kept: nothing is lost when one that found no bucket, and nothing else, is forgotten.

    The next look reads again from where the kept one ended, so that must not fall too far behind.
    """
    after = look.watch
    if before is None or look.checkpoint or after.judged_until - before.judged_until >= KEPT_EVERY:
        return True
    return _gist(before) != _gist(after) or (before.evidence, before.pairs) != (after.evidence, after.pairs)


def _gist(watch: Watch) -> tuple[object, ...]:
    """Without instants and sentences, which tell them."""
    findings = [(each.operation, each.guardrail, each.verdict, each.consequence) for each in watch.findings]
    return watch.attempt, watch.version, watch.checkpoint, watch.told, watch.step, findings


def save_look(uow: UnitOfWork, environment_id: int, *looks: Look) -> None:
    """The watches, a point of each on its trail, and the checkpoints that are due with them."""
    uow.watches.save(environment_id, *(look.watch for look in looks))
    uow.trails.add(environment_id, {look.watch.flag: _point(look) for look in looks if look.watch.evidence})
    for look in looks:
        if look.checkpoint:
            uow.checkpoints.save(environment_id, look.checkpoint)


def _point(look: Look) -> Point:
    marks = {name: mark_of(seen) for name, seen in look.watch.evidence.items()}
    return Point(look.watch.judged_until, look.watch.attempt, look.overall, marks)
