"""Did what should happen, happen? The demo's exit status is this answer. Pure."""

from collections.abc import Iterator

from web.cli.demo.faults import Kind
from web.cli.demo.run import BASELINE, CANDIDATE, Run, last_fifth
from web.cli.demo.traffic import Outcome

FEWEST_CALLS = 500  # a verdict over less would be about nothing
STAGES = (1, 10, 50)  # and then the last: 98, or 100
FULLEST = {98, 100}


def complaints(run: Run) -> list[str]:
    """One sentence for each thing that did not happen as it should; none when all did."""
    told = _untold_rollout(run) if run.fault is Kind.NONE else _untold_rollback(run)
    return [*_unfit_calls(run), *told]


def _unfit_calls(run: Run) -> Iterator[str]:
    if len(run.calls) < FEWEST_CALLS:
        yield f"only {len(run.calls)} calls were made, which shows nothing: {FEWEST_CALLS} are needed"
    broken = [call for call in run.calls if call.outcome is Outcome.THROWBAR_FAILED]
    if broken:
        yield f"{len(broken)} calls failed because of Throwbar, the first with {broken[0].error}"
    if run.internal_errors:
        yield f"the SDK had {run.internal_errors} errors of its own, which it kept from the calls"
    spoilt = [call for call in run.calls if call.backend == BASELINE and call.outcome is not Outcome.OK]
    if spoilt:
        yield f"{len(spoilt)} calls failed on the baseline, which was sound, the first with {spoilt[0].error}"


def _untold_rollout(run: Run) -> Iterator[str]:
    """A sound candidate gets to the end."""
    if run.rollback:
        yield f"a sound candidate was rolled back: {run.rollback.sentence}"
    failed = sum(call.backend == CANDIDATE and call.outcome is not Outcome.OK for call in run.calls)
    if failed:
        yield f"{failed} calls failed on the candidate, which was sound"
    if run.state != "completed":
        yield f"the rollout is {run.state}, not completed"
    yield from _skipped_stages(run)
    if not set(run.shares_entered[len(STAGES) :]) & FULLEST:
        yield "the last stage was not entered"
    calls = last_fifth(run.calls)
    moved = sum(call.backend == CANDIDATE for call in calls)
    if not moved > len(calls) / 2:
        yield f"only {moved} of the last {len(calls)} calls went to the candidate"


def _untold_rollback(run: Run) -> Iterator[str]:
    """A candidate that goes bad is taken back at once, by itself, and completely."""
    yield from _skipped_stages(run)
    if run.fault_at is None:
        yield "the fault was never injected"
    elif run.first_harm_at is None:
        yield "the fault hurt no call"
    if run.rollback is None:
        yield "the scheduler did not roll back"
    elif run.fault_at is not None and run.rollback.at < run.fault_at:
        yield f"the scheduler rolled back before anything was wrong: {run.rollback.sentence}"
    if run.state != "rolled_back":
        yield f"the rollout is {run.state}, not rolled_back"
    calls = last_fifth(run.calls)
    strays = sum(call.backend != BASELINE for call in calls)
    if strays:
        yield f"{strays} of the last {len(calls)} calls did not go to the baseline"


def _skipped_stages(run: Run) -> Iterator[str]:
    entered = run.shares_entered[: len(STAGES)]
    if entered != STAGES:
        yield f"the stages entered were {_listed(entered)}, not {_listed(STAGES)}"


def _listed(percents: tuple[float, ...]) -> str:
    return " → ".join(f"{percent:g} %" for percent in percents) or "none"
