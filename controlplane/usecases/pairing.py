"""Pairing: the pairs of shadow calls that one look adds to those of the stage, and the noise they are held against."""

from collections.abc import Mapping, Sequence

from controlplane.domain.arm import Arm
from controlplane.domain.flag import Flag
from controlplane.domain.shadowing import Floors, Pairs, shadowed
from controlplane.store.reports import Place
from controlplane.usecases.surveying import Reads


def gathered_pairs(flag: Flag, before: Mapping[str, Pairs], cells: Sequence[tuple[Place, Arm]]) -> Mapping[str, Pairs]:
    """`cells` are new since the last look. A stage that is entered starts with none."""
    entered = flag.rollout.entered_at
    names = shadowed(flag) if entered else ()
    since = int(entered.timestamp()) if entered else 0
    found = {}
    for name in names:
        kept = before.get(name)
        seen = kept if kept and kept.since == since else Pairs(since)
        found[name] = seen.plus(arm for place, arm in cells if place.operation == name and place.start >= since)
    return found


def floors_of(uow: Reads, environment_id: int, flag: Flag) -> Floors:
    """How often the baseline's answers differ from its own; read only where something is shadowed."""
    if not shadowed(flag):
        return {}
    known = uow.examples.noise(environment_id, flag.key)
    return {each.operation: (each.match + each.mismatch, each.mismatch) for each in known if each.match + each.mismatch}
