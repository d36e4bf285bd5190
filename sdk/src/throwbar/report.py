"""What does a report look like on the wire? Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from throwbar.harvest import Sum
from throwbar.memory import News
from throwbar.version import __version__

SCHEMA = 1
SDK = f"throwbar-python/{__version__}"
STANDING = ("breakers", "overrides")  # a report without them says that there are none
NO_SECTIONS: Mapping[str, Any] = {}
CELLS_PER_REPORT = 400  # at about 1 KiB a cell, well below the limit of 1 MiB


class Sender(NamedTuple):
    """Who reports, and which snapshot it obeys."""

    instance: str
    service: str
    source: str
    version: int


def report_document(
    sender: Sender,
    sequence: int,
    sent_at: float,
    cells: Iterable[Mapping[str, Any]],
    dropped: Mapping[str, int],
    sections: Mapping[str, Any] = NO_SECTIONS,
) -> dict[str, Any]:
    """One report. `sent_at` in seconds since the epoch; `dropped` by cause, left out when empty.

    `sections` are what else there is to tell, by field: breakers, receipts, overrides.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "instance": sender.instance,
        "service": sender.service,
        "sdk": SDK,
        "sequence": sequence,
        "sent_at": sent_at,
        "source": sender.source,
        "version": sender.version,
        "cells": list(cells),
    }
    if dropped:
        document["dropped"] = dict(dropped)
    document |= sections
    return document


_PAIRED = ("match", "mismatch", "failed", "compare_errors")  # results of second calls that were made


def cell_document(total: Sum, news: News, strayed: int | None = None) -> dict[str, Any]:
    """One cell: what happened in one bucket, and what it says about the keys that was not known.

    `strayed` None: it was not looked whether keys stay on their side.
    """
    cell: dict[str, Any] = total.identity._asdict()
    cell |= {
        "calls": total.calls,
        "ok": total.calls - total.pending - sum(total.errors.values()),
        "errors": {str(category): count for category, count in total.errors.items()},
        "pending": total.pending,
        "latency": _histogram(total.latency),
        "keys": len(total.keys),
        "bad_keys": news.bad_keys,
        "key_latency": _histogram(news.key_latency),
    }
    if strayed is not None:
        cell["strayed_keys"] = strayed
    cell |= {name: count for name, count in total.marks._asdict().items() if count}
    if total.shadow:
        cell["shadow"] = {"pairs": sum(total.shadow.get(result, 0) for result in _PAIRED), **total.shadow}
    if total.ratio:
        cell["ratio"] = _histogram(total.ratio)
    if any(news.fresh_halves) or any(news.bad_halves):
        cell["halves"] = {"fresh_keys": list(news.fresh_halves), "bad_keys": list(news.bad_halves)}
    if news.rise_to:
        cell["key_rise"] = {"from": _histogram(news.rise_from), "to": _histogram(news.rise_to)}
    return cell


def _histogram(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(index): counts[index] for index in sorted(counts)}
