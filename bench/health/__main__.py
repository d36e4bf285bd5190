"""How good is the health decision? Prints the tables as Markdown, each with its goals, met or missed."""

import argparse
import os
import time

from bench.health import (
    delays,
    disturbances,
    false_rollbacks,
    forecasts,
    prechecks,
    recurring,
    rollouts,
    sample_ratio,
    slowness,
    together,
)
from bench.health.scale import FULL, SHORT
from bench.health.spread import processes

SUBJECTS = {
    "false": false_rollbacks.tables,
    "delays": delays.tables,
    "disturbances": disturbances.tables,
    "latency": slowness.tables,
    "rollouts": rollouts.tables,
    "forecasts": forecasts.tables,
    "ratio": sample_ratio.tables,
    "prechecks": prechecks.tables,
    "recurring": recurring.tables,
    "together": together.tables,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=health", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="|".join(SUBJECTS), help="default: all")
    parser.add_argument("--short", action="store_true", help="fewer and shorter runs: a minute instead of many")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="default: as many as there are cores"
    )
    asked = parser.parse_args()
    unknown = set(asked.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    missed = []
    started = time.monotonic()
    with processes(asked.processes):
        for name in asked.subjects or SUBJECTS:
            for table in SUBJECTS[name](SHORT if asked.short else FULL):
                print(table, flush=True)
                missed += [goal for goal in table.goals if not goal.met]
    print(f"{len(missed)} goals were missed: {', '.join(goal.name for goal in missed) or 'none'}.")
    print(f"{(time.monotonic() - started) / 60:.0f} minutes on {asked.processes} processes.")


if __name__ == "__main__":
    main()
