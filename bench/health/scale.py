"""How much is simulated? The short form shows the same promises with fewer runs, in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Checks of a rollout that never ends, and runs of each kind."""

    checks: int
    false_runs: int
    delay_runs: int
    rival_runs: int
    whole_runs: int


FULL = Scale(checks=2000, false_runs=2000, delay_runs=200, rival_runs=200, whole_runs=300)
SHORT = Scale(checks=300, false_runs=100, delay_runs=40, rival_runs=20, whole_runs=20)
