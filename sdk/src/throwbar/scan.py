"""Where in this code base are flags used, and does any of it keep a completed one alive? `python -m throwbar scan`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from throwbar.call_sites import Found, Site, find
from throwbar.registered_flags import FlagsNotTold, Registered, ask

EPILOG = """\
Names are followed through simple assignments and imports. A name made at run time is told as dynamic: it may be any.

exit status: 0 no completed flag is used; 1 one still is; 2 wrong use, or the control plane did not answer
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(argv)
    missing = [path for path in asked.paths if not path.exists()]
    if missing:
        parser.error(f"{missing[0]} does not exist")
    if (asked.url is None) is not (asked.token is None):
        parser.error("--url and --token go together")
    try:
        told = ask(asked.url, asked.token, asked.environment) if asked.url else None
    except FlagsNotTold as error:
        sys.stderr.write(f"{error}\n")
        return 2
    completed = frozenset(asked.completed) | (told.completed if told else frozenset())
    found = find(asked.paths, completed)
    document = _document(found, told, completed)
    sys.stdout.write(json.dumps(document, indent=2) + "\n" if asked.json else _text(found, document))
    return 1 if document["completed"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m throwbar scan",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder or a file")
    parser.add_argument("--completed", action="append", default=[], metavar="FLAG", help="this flag must not be used")
    parser.add_argument("--url", help="ask this control plane what is registered and completed")
    parser.add_argument("--token", help="an admin token for it")
    parser.add_argument("--environment", default="production", help="whose flags (default: production)")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _document(found: Found, told: Registered | None, completed: frozenset[str]) -> dict[str, list[dict[str, object]]]:
    sites = [site for site in found.sites if site.call != "text"]
    return {
        "sites": [asdict(site) for site in sites],
        "completed": [asdict(site) for site in found.sites if site.flag in completed],
        "dynamic": [asdict(site) for site in sites if site.dynamic],
        "unregistered": [asdict(site) | {"why": why} for site in sites if (why := _why_unregistered(site, told))],
        "unread": [{"file": file, "why": why} for file, why in found.unread.items()],
    }


def _why_unregistered(site: Site, told: Registered | None) -> str:
    """What is missing for calls from here to be routed, in one sentence, or ""."""
    if site.call == "operation" and not (site.baseline and site.candidate):
        missing = "candidate" if site.baseline else "baseline"
        return f"no {missing} function is registered in what was scanned"
    if told is None or site.flag is None:
        return ""
    if site.flag not in told.operations:
        return f"the control plane has no flag {site.flag}"
    if site.operation is not None and site.operation not in told.operations[site.flag]:
        return f"flag {site.flag} does not list operation {site.operation}: it goes to the baseline"
    return ""


def _text(found: Found, document: dict[str, list[dict[str, object]]]) -> str:
    lines = [_line(site) for site in found.sites if site.call != "text"]
    for title, name in (
        ("completed flags that are still used", "completed"),
        ("names made at run time", "dynamic"),
        ("not registered", "unregistered"),
        ("not read", "unread"),
    ):
        if document[name]:
            lines += ["", f"{title}:"]
            lines += [f"  {_place(each)} {each.get('why') or each['flag'] or ''}".rstrip() for each in document[name]]
    files = len({site.file for site in found.sites})
    return "\n".join([*lines, "", f"{len(document['sites'])} uses in {files} files", ""])


def _line(site: Site) -> str:
    names = "/".join(name or "?" for name in (site.flag, site.operation) if name or site.call != "migration")
    sides = [f"{side} {name}" for side, name in (("baseline", site.baseline), ("candidate", site.candidate)) if name]
    return f"{site.file}:{site.line}: {site.call} {names or '?'}" + (f" ({', '.join(sides)})" if sides else "")


def _place(each: dict[str, object]) -> str:
    return f"{each['file']}:{each['line']}:" if "line" in each else f"{each['file']}:"
