"""Sampling: what one look knows of each operation that may send calls to the candidate."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.arm import Arm, called
from controlplane.domain.flag import Flag, Side
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.observation import Evidence
from controlplane.domain.rollout import State
from controlplane.domain.sample import Sample
from controlplane.store.cells import Cells
from controlplane.store.watches import Watch


@dataclass(frozen=True, slots=True)
class Instant:
    """When a look is taken: at `now`, of the buckets before `until`; `sealing_seconds` is how old those may be."""

    now: datetime
    until: int
    sealing_seconds: float = 40.0


def samples_of(flag: Flag, watch: Watch, cells: Cells, at: Instant) -> Iterator[tuple[Guardrails, Sample]]:
    """The exposed operations, each with what it is judged by; none of a flag without guardrails."""
    windows = _windows(cells)
    sharing = len(flag.attempted_operations)
    for name in flag.exposed_operations:
        limits = flag.guardrails_of(name)
        if limits is None:
            continue
        baseline, candidate = (
            called([arm for start, arm in windows.get((name, side), ()) if start >= at.until - limits.window_seconds])
            for side in (Side.BASELINE, Side.CANDIDATE)
        )
        seen = watch.evidence.get(name, Evidence())
        yield (
            limits,
            Sample(
                operation=name,
                baseline_name=flag.baseline,
                candidate_name=flag.candidate,
                share=flag.operations[name].share,
                baseline=baseline,
                candidate=candidate,
                evidence=seen,
                silent_seconds=None if seen.newest is None else max(0.0, at.now.timestamp() - seen.newest),
                exposed_seconds=_exposed_seconds(flag, at.now),
                baked=_has_baked(flag, at.now),
                asks_for_proof=_asks_for_proof(flag, name),
                operations=sharing,
                sealing_seconds=at.sealing_seconds,
            ),
        )


def _windows(cells: Cells) -> dict[tuple[str, Side], list[tuple[int, Arm]]]:
    """Everything one side was sent, whoever assigned it, with the start of its bucket."""
    found: dict[tuple[str, Side], list[tuple[int, Arm]]] = {}
    for place, arm in cells:
        found.setdefault((place.operation, place.side), []).append((place.start, arm))
    return found


def _exposed_seconds(flag: Flag, now: datetime) -> float:
    since = flag.rollout.entered_at if flag.rollout.is_live else flag.updated_at
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _asks_for_proof(flag: Flag, name: str) -> bool:
    live = flag.plan and flag.rollout.is_live and name in flag.planned_operations
    return bool(live and flag.plan and flag.plan.stage(flag.rollout.stage).prove)


def _has_baked(flag: Flag, now: datetime) -> bool:
    due = flag.rollout.bakes_until(flag.plan) if flag.plan and flag.rollout.state is State.RUNNING else None
    return due is not None and now >= due
