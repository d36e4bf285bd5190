"""How does the SDK compare with its peers on this machine, and are its goals met? Prints tables; gates nothing."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    against_calls,
    against_decisions,
    against_refresh,
    against_threads,
    footprint,
    lost_observations,
    shadows,
    telemetry_bytes,
)
from bench.scale import FULL, SHORT, Scale
from bench.scores import Score, as_markdown, as_text

TABLES: dict[str, tuple[str, Callable[[Scale], Iterator[Score]]]] = {
    "decisions": ("One decision: any of 2 000 flags, sticky share of 10 %, CPU", against_decisions.scores),
    "calls": ("Added to a call that goes well, CPU", against_calls.scores),
    "threads": ("Throughput with eight threads", against_threads.scores),
    "lost": ("Calls that no report counts", lost_observations.scores),
    "shadows": ("Added to a caller's latency by a shadowed candidate that hangs", shadows.scores),
    "footprint": ("What a host pays", footprint.scores),
    "refresh": ("A new snapshot of 2 000 flags, from its bytes, CPU", against_refresh.scores),
    "telemetry": ("Telemetry of one operation, side and ten seconds", telemetry_bytes.scores),
}
BEGIN, END = '<!-- measured: `make bench ARGS="sdk --write"` -->', "<!-- end of what was measured -->"
README = Path(__file__).parent.parent / "sdk" / "README.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=sdk", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="|".join(TABLES), help="default: all")
    parser.add_argument("--short", action="store_true", help="only show that everything runs; the figures say nothing")
    parser.add_argument("--write", action="store_true", help="put all tables into sdk/README.md as well")
    parser.add_argument("--markdown", action="store_true", help="print them as they look there")
    asked = parser.parse_args()
    if unknown := set(asked.tables) - set(TABLES):
        parser.error(f"no such table: {', '.join(sorted(unknown))}")
    if asked.write and (asked.tables or asked.short):
        parser.error("--write takes all tables, at full length")
    if len(asked.tables) == 1:
        title, scores = TABLES[asked.tables[0]]
        show = as_markdown if asked.markdown else as_text
        print(show(title, scores(SHORT if asked.short else FULL)), flush=True)
        return
    busy = f"{os.getloadavg()[0]:.1f} other processes running at the start"
    machine = f"Python {platform.python_version()}, {_processor()}, {os.cpu_count()} cores, {busy}"
    print(machine, flush=True)
    options = ["--short"] * asked.short + ["--markdown"] * (asked.markdown or asked.write)
    told = [_told(name, options) for name in asked.tables or TABLES]
    if asked.write:
        _write("\n\n".join([f"Measured with {machine}.", *told]))


def _told(name: str, options: list[str]) -> str:
    """One table, from a process of its own: what one peer leaves running disturbs no other table."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.sdk", name, *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=README.parent.parent,
    )
    print(f"\n{done.stdout}", end="", flush=True)
    return done.stdout.strip()


def _write(tables: str) -> None:
    before, rest = README.read_text().split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
