"""Which command is meant by `python -m throwbar COMMAND`? Each lives in a module of its own, loaded when asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "explain-error": ("throwbar.explain", "say how an exception class is classified, and why"),
    "bench": ("throwbar.contest_command", "call two functions by turns and compare their latency and throughput"),
    "scan": ("throwbar.scan", "find where a code base uses which flag, and completed ones among them"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of the command; 2 for a command line that is not understood."""
    parser = argparse.ArgumentParser(
        prog="python -m throwbar",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:<16}{does}" for name, (_, does) in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="COMMAND --help tells")
    asked = parser.parse_args(argv)
    module, _ = COMMANDS[asked.command]
    return int(importlib.import_module(module).main(asked.rest))


if __name__ == "__main__":
    sys.exit(main())
