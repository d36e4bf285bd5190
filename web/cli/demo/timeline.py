"""How a demo run reads, one line per event. Pure."""

from collections.abc import Sequence

from web.cli.demo.run import BASELINE, CANDIDATE, Event, Run
from web.cli.demo.traffic import Call, Outcome

HEADING = f"{'seconds':>7}  {'share':>6}  {BASELINE + ' failed':<22}  {CANDIDATE + ' failed':<22}  what happened"


def row(event: Event, percent: float, calls: Sequence[Call]) -> str:
    """`percent` is the share after the event, `calls` those since the event before."""
    sides = "  ".join(f"{_failed(calls, side):<22}" for side in (BASELINE, CANDIDATE))
    return f"{event.at:7.1f}  {percent:4g} %  {sides}  {event.actor}: {event.action}, {event.sentence}".rstrip(", ")


def _failed(calls: Sequence[Call], backend: str) -> str:
    there = [call for call in calls if call.backend == backend]
    if not there:
        return "-"
    failed = sum(call.outcome is not Outcome.OK for call in there)
    return f"{failed / len(there):.1%} of {len(there)}, {typical_ms(there):.1f} ms"


def typical_ms(calls: Sequence[Call]) -> float:
    """The median of the calls' latencies, in milliseconds."""
    return sorted(call.seconds for call in calls)[len(calls) // 2] * 1000


def closing(run: Run, complaints: Sequence[str]) -> str:
    """What the run showed, or what it did not."""
    if complaints:
        return "\n".join(["This is not what should have happened:", *(f"  - {each}" for each in complaints)])
    if run.rollback is None:
        return f"As it should be: {len(run.calls)} calls, no rollback, and the candidate has taken over."
    return (
        f"As it should be: the candidate went bad and Throwbar took everything back by itself, {run.reaction:.1f} s "
        f"from the first call that was hurt to the last that went there."
    )
