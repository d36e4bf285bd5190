"""Audit entries as the rows of a table that no spreadsheet will execute."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

AUDIT_COLUMNS = ("id", "at", "actor", "action", "flag", "reason", "changes", "version", "request_id", "record", "hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def audit_row(entry: Mapping[str, Any]) -> list[str]:
    """An entry of the contract, in the order of the columns."""
    flat = {**entry, "actor": f"{entry['actor']['kind']}:{entry['actor']['name']}"}
    return [cell(flat.get(name)) for name in AUDIT_COLUMNS]


def cell(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Text that begins like a formula gets an apostrophe: a reason is written by anybody and opened by an auditor."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def audit_table(entries: Iterable[Mapping[str, Any]]) -> str:
    """Entries as the contract words them, as CSV with its heads."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(AUDIT_COLUMNS)
    writer.writerows(audit_row(each) for each in entries)
    return out.getvalue()
