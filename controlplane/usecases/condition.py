"""Condition: how a flag does by the scheduler's newest look, in one word, and whether that keeps it where it is."""

from collections.abc import Sequence
from datetime import datetime

from controlplane.domain.findings import Consequence, Finding, worst
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State, Step
from controlplane.store.watches import Watch
from controlplane.usecases.guarding import CANNOT, WOULD


def current(flag: Flag, watch: Watch | None) -> Watch | None:
    """What the scheduler saw last, if it saw the attempt that is going on."""
    return watch if watch and watch.attempt == flag.rollout.attempt else None


def health_word(flag: Flag, watch: Watch | None) -> str | None:
    """The verdict on a flag that is exposed and guarded; None where nothing is judged."""
    if not flag.guardrails or not flag.exposed_operations:
        return None
    return worst(_findings(flag, watch)).value


def is_held(flag: Flag, watch: Watch | None, now: datetime) -> bool:
    """Whether a finding, or a stage that cannot be entered, keeps the flag where it is: not that it is young."""
    seen = current(flag, watch)
    if seen and seen.step in {Step.PAUSE, Step.HOLD} and seen.because.startswith((WOULD, CANNOT)):
        return True
    return any(holds(finding, flag, now) for finding in _findings(flag, watch))


def holds(finding: Finding, flag: Flag, now: datetime) -> bool:
    """So does what is only reported. Every stage begins with too few samples: they hold it when its time is over."""
    asks = finding.consequence in {Consequence.HOLD, Consequence.REPORT}
    return asks and (finding.guardrail != "min_samples" or _has_baked(flag, now))


def _has_baked(flag: Flag, now: datetime) -> bool:
    due = flag.rollout.bakes_until(flag.plan) if flag.plan and flag.rollout.state is State.RUNNING else None
    return due is not None and due <= now


def _findings(flag: Flag, watch: Watch | None) -> Sequence[Finding]:
    seen = current(flag, watch)
    return seen.findings if seen else ()
