"""Does the candidate keep up with the baseline on this machine? `python -m throwbar bench module:old module:new`."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from throwbar.contest import SIDES, Comparison, Interval, Measured, Shape, compare, measure

EPILOG = """\
The two are called by turns, in a shuffled order. A figure is a regression when even the kinder end of the 95 % interval
of its ratio is worse than the tolerance allows; so is a candidate that raises more often than the baseline.

exit status: 0 no regression; 1 a regression; 2 wrong use
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(argv)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - what `python -m` would find, this finds
    try:
        pair = (_load(asked.baseline), _load(asked.candidate))
        shape = Shape(asked.clients, asked.iterations, asked.warm_up, asked.seed)
        measured = measure(pair, [_literal(text) for text in asked.args], shape)
    except (ImportError, AttributeError, ValueError) as error:
        parser.error(str(error))
    figures = compare(measured, asked.seed)
    regressions = _regressions(figures, measured, asked.tolerance)
    told = _document(figures, measured, regressions) if asked.json else _table(figures, measured, regressions)
    sys.stdout.write(told + "\n")
    return 1 if regressions else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m throwbar bench",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("baseline", metavar="module:baseline", help="a function, or a coroutine function")
    parser.add_argument("candidate", metavar="module:candidate", help="of the same kind")
    parser.add_argument("--clients", type=_positive, default=10, help="how many call at once (10)")
    parser.add_argument("--iterations", type=_positive, default=1000, help="calls of each client to each side (1000)")
    parser.add_argument("--warm-up", type=_not_negative, default=20, help="calls before those, not counted (20)")
    parser.add_argument("--args", nargs="*", default=[], help="arguments of each call: Python literals, else texts")
    parser.add_argument(
        "--tolerance", type=float, default=0.05, help="how much worse is still well (0.05, which is 5 %%)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order and of the intervals (1)")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _load(name: str) -> Callable[..., Any]:
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(f"{name!r} is not of the form module:function")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{name!r} is not callable")  # noqa: TRY004 - the command line is wrong, no argument is
    return found  # type: ignore[no-any-return]


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _regressions(figures: Sequence[Comparison], measured: Measured, tolerance: float) -> list[str]:
    found = [figure.name for figure in figures if figure.regressed(tolerance)]
    ours, theirs = measured.errors
    # Both make the same number of calls; by chance alone the counts differ by about the root of their sum.
    if theirs - ours > 3 * (ours + theirs) ** 0.5:
        found.append("errors")
    return found


def _document(figures: Sequence[Comparison], measured: Measured, regressions: Sequence[str]) -> str:
    return json.dumps(
        {
            "calls": sum(len(client[0]) for client in measured.seconds),
            "errors": dict(zip(SIDES, measured.errors, strict=True)),
            "figures": {figure.name: asdict(figure) for figure in figures},
            "regressions": list(regressions),
        },
        indent=2,
    )


def _table(figures: Sequence[Comparison], measured: Measured, regressions: Sequence[str]) -> str:
    calls = sum(len(client[0]) for client in measured.seconds)
    lines = [f"{calls} calls to each side by {len(measured.seconds)} clients; in brackets the 95 % interval", ""]
    lines.append(f"{'':10}{'baseline':>36}{'candidate':>36}{'candidate/baseline':>28}")
    for figure in figures:
        unit, factor = ("", 1.0) if figure.more_is_better else (" ms", 1000.0)
        cells = f"{_told(figure.baseline, factor, unit):>36}{_told(figure.candidate, factor, unit):>36}"
        lines.append(f"{figure.name:10}{cells}{_told(figure.ratio, 1.0, ''):>28}")
    lines += [f"{'errors':10}{measured.errors[0]:>36}{measured.errors[1]:>36}", ""]
    return "\n".join([*lines, f"regression: {', '.join(regressions)}" if regressions else "no regression"])


def _told(interval: Interval, factor: float, unit: str) -> str:
    value, low, high = (each * factor for each in (interval.value, interval.low, interval.high))
    return f"{value:.4g}{unit} [{low:.4g}, {high:.4g}]"
