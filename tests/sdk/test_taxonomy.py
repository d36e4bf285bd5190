import asyncio
import concurrent.futures
import errno
import http.client
import importlib
import json
import re
import socket
import ssl
from pathlib import Path

import pytest

from throwbar.cell import REFUSED
from throwbar.evidence import classify
from throwbar.known_errors import DECIDED, EXACT, LEANING, name_of
from throwbar.severity import adjusted, strategy_for
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo, Severity, Strategy

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((ROOT / "tests" / "contract" / "error_taxonomy.json").read_text())


class AppError(Exception):
    pass


@pytest.mark.parametrize("category", Category)
def test_the_table_of_categories_is_the_published_one(category):
    row = GOLDEN["categories"][category]

    info = BY_CATEGORY[category]

    assert (info.severity, info.delivery) == (row["severity"], row["delivery"])
    assert (info.countable, info.retryable) == (row["countable"], row["retryable"])
    assert info.strategy == row["strategy"][row["severity"]]


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("severity", Severity)
def test_row_18_the_strategy_of_each_category_at_each_severity_is_the_published_one(category, severity):
    assert strategy_for(category, severity) == GOLDEN["categories"][category]["strategy"][severity]


def test_nothing_is_published_that_does_not_exist():
    assert set(GOLDEN["categories"]) == set(Category)


def test_row_18_the_nine_categories_of_dspex_are_all_there():
    names = {row["dspex"] for row in GOLDEN["categories"].values() if row["dspex"]}

    assert names == {
        f"{name}_error"
        for name in (
            *("initialization", "connection", "communication", "timeout", "resource", "health_check"),
            *("session", "python", "system"),
        )
    }


@pytest.mark.parametrize("case", GOLDEN["adjustments"], ids=lambda case: case["name"])
def test_circumstances_change_severity_and_strategy_as_published(case):
    info = BY_CATEGORY[Category(case["category"])]
    circumstances = dict(case["circumstances"])
    if "severity" in circumstances:
        circumstances["severity"] = Severity(circumstances["severity"])

    changed = adjusted(info, **circumstances)

    assert (changed.severity, changed.strategy) == (case["severity"], case["strategy"])
    assert changed.delivery is info.delivery


def test_every_category_that_a_report_may_carry_has_the_same_name_here():
    wire = re.search(r"\*\*Error categories\*\*: (.*?)\. Unknown", (ROOT / "docs/protocol.md").read_text(), re.DOTALL)

    assert set(re.findall(r"`(\w+)`", wire[1])) == set(Category) - {Category.HEALTH_CHECK} | {REFUSED}


@pytest.mark.parametrize(
    ("error", "category", "delivery"),
    [
        (ConnectionRefusedError(), "connection", "not_sent"),
        (socket.gaierror(), "connection", "not_sent"),
        (ssl.SSLCertVerificationError(), "connection", "not_sent"),
        (ssl.SSLEOFError(), "communication", "unknown"),
        (ConnectionResetError(), "communication", "unknown"),
        (BrokenPipeError(), "communication", "unknown"),
        (http.client.RemoteDisconnected(), "communication", "unknown"),
        (http.client.IncompleteRead(b""), "communication", "unknown"),
        (asyncio.IncompleteReadError(b"", 1), "communication", "unknown"),
        (json.JSONDecodeError("", "", 0), "communication", "unknown"),
        (concurrent.futures.BrokenExecutor(), "communication", "unknown"),
        (TimeoutError(), "timeout", "unknown"),
        (MemoryError(), "resource", "unknown"),
        (OSError(errno.EMFILE, "too many open files"), "resource", "unknown"),
        (BlockingIOError(), "resource", "unknown"),
        (ModuleNotFoundError(), "initialization", "unknown"),
        (RecursionError(), "system", "unknown"),
        (PermissionError(), "system", "unknown"),
        (OSError(errno.EIO, "input/output error"), "system", "unknown"),
        (TypeError(), "application", "unknown"),
        (KeyError(1205), "application", "unknown"),
        (AssertionError(), "application", "unknown"),
        (NotImplementedError(), "application", "unknown"),
        (ValueError(), "application", "unknown"),
        (AppError(2003, "no driver's number"), "application", "unknown"),
        (asyncio.CancelledError(), "cancelled", "unknown"),
        (concurrent.futures.CancelledError(), "cancelled", "unknown"),
        (KeyboardInterrupt(), "cancelled", "unknown"),
        (SystemExit(503), "cancelled", "unknown"),
        (GeneratorExit(), "cancelled", "unknown"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_what_the_standard_library_raises(error, category, delivery):
    info = classify(error)

    assert (info.category, info.delivery) == (category, delivery)
    assert info[:3] == BY_CATEGORY[info.category][:3]
    assert info.because


def test_cancellations_and_callers_mistakes_say_nothing_of_health():
    assert [category for category, info in BY_CATEGORY.items() if not info.countable] == ["validation", "cancelled"]


def test_facts_cannot_be_changed():
    with pytest.raises(AttributeError):
        BY_CATEGORY[Category.TIMEOUT].delivery = Delivery.NOT_SENT
    assert isinstance(BY_CATEGORY[Category.TIMEOUT], ErrorInfo)
    assert BY_CATEGORY[Category.CANCELLED].strategy == Strategy.RERAISE


ELSEWHERE = {"psycopg2", "psycopg_pool", "throwbar"}  # not installed for the tests, or not raised yet


def names_of_exceptions(kind=BaseException):
    yield name_of(kind)
    for child in kind.__subclasses__():
        if type(child).__hash__ is type.__hash__ and isinstance(child.__module__, str):  # other tests make monsters
            yield from names_of_exceptions(child)


def test_every_known_name_is_that_of_a_real_class():
    for module in (
        "aiohttp",
        "grpc",
        "httpcore",
        "httpx",
        "multiprocessing",
        "psycopg",
        "pymysql",
        "redis",
        "requests",
    ):
        importlib.import_module(module)
    for module in ("sqlalchemy.orm", "sqlite3", "subprocess", "urllib.error"):
        importlib.import_module(module)
    real = set(names_of_exceptions())

    known = {name for name in [*DECIDED, *EXACT, *LEANING] if name.partition(".")[0] not in ELSEWHERE}

    assert known - real == set()


def test_row_19_high_is_major_and_nobody_knows_what_a_call_did_whose_time_was_over():
    info = classify(TimeoutError())

    assert (info.severity, info.delivery) == (Severity.MAJOR, Delivery.UNKNOWN)
    assert "its `:high` is `major`" in " ".join((ROOT / "docs" / "errors.md").read_text().replace("\n", " ").split())


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)

    written = {category: row.split(" | ") for category, row in rows if category in set(Category)}

    yes = {True: "yes", False: "no"}
    assert written == {
        category: [info.severity, info.strategy, info.delivery, yes[info.retryable], yes[info.countable]]
        for category, info in BY_CATEGORY.items()
    }
