"""Audit entries as the rows of a table that no spreadsheet will execute."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

AUDIT_COLUMNS = (
    *("id", "at", "actor", "action", "flag", "reason", "changes"),
    *("version", "request_id", "record", "hash", "via"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def audit_row(entry: Mapping[str, Any]) -> list[str]:
    """An entry of the contract, in the order of the columns."""
    actor = entry["actor"]
    flat = {**entry, "actor": f"{actor['kind']}:{actor['name']}", "via": actor.get("via")}
    return [cell(flat.get(name)) for name in AUDIT_COLUMNS]


def cell(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Text that begins like a formula gets an apostrophe: a reason is written by anybody and opened by an auditor."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def audit_head() -> str:
    """The first line of the table."""
    return _lines([AUDIT_COLUMNS])


def audit_lines(entries: Iterable[Mapping[str, Any]]) -> str:
    """Entries as the contract words them, as lines of CSV."""
    return _lines(audit_row(each) for each in entries)


def _lines(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
