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

from throwbar import outcome
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
def test_the_strategy_of_each_category_at_each_severity_is_the_published_one(category, severity):
    assert strategy_for(category, severity) == GOLDEN["categories"][category]["strategy"][severity]


def test_nothing_is_published_that_does_not_exist():
    assert set(GOLDEN["categories"]) == set(Category)


def test_the_nine_categories_of_dspex_are_all_there():
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

    assert set(re.findall(r"`(\w+)`", wire[1])) == set(Category) - {Category.HEALTH_CHECK}
    assert set(outcome.Category) <= set(Category)


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


# The order in which evidence is heard.

OWN = BY_CATEGORY[Category.SESSION]._replace(because="mine")


class Telling(ConnectionRefusedError):
    error_info = OWN


def test_the_operations_own_word_comes_first():
    said = BY_CATEGORY[Category.CONFLICT]

    info = classify(Telling(), user=lambda error: said)

    assert info == said._replace(because="the operation's classify")


def test_the_operation_may_leave_it_to_us():
    assert classify(Telling(), user=lambda error: None) == OWN
    assert classify(Telling(), user=lambda error: "not an ErrorInfo") == OWN


def test_a_classify_that_fails_is_left_out_and_mentioned():
    info = classify(TimeoutError(), user=lambda error: error.no_such_thing)

    assert info.category is Category.TIMEOUT
    assert "classify raised AttributeError" in info.because


def test_an_exception_may_tell_by_itself():
    assert classify(Telling()) == OWN


def test_a_class_that_decides_is_not_asked_what_it_carries():
    class Refused(ConnectionRefusedError):
        status = 429

    assert classify(Refused()).category is Category.CONNECTION


def test_what_it_carries_is_heard_before_what_caused_it():
    error = AppError()
    error.response = type("Response", (), {"status_code": 429, "headers": {"retry-after": "3"}})()
    error.__cause__ = ConnectionRefusedError()

    info = classify(error)

    assert (info.category, info.retry_after) == (Category.THROTTLED, 3.0)


def test_a_status_that_an_exception_only_claims_yields_to_an_explicit_cause():
    """aiohttp calls a reply that it could not read a 400."""
    error = AppError()
    error.status = 400
    alone = classify(error)
    error.__cause__ = ConnectionResetError()

    assert (alone.category, alone.delivery) == (Category.VALIDATION, Delivery.REJECTED)
    assert (classify(error).category, classify(error).delivery) == (Category.COMMUNICATION, Delivery.UNKNOWN)


def test_the_same_class_is_told_apart_by_its_cause():
    refused, lost = AppError(), AppError()
    refused.__cause__ = ConnectionRefusedError()
    lost.__cause__ = ConnectionResetError()

    assert classify(refused).delivery is Delivery.NOT_SENT
    assert classify(refused).because == "caused by builtins.ConnectionRefusedError"
    assert classify(lost).delivery is Delivery.UNKNOWN


def test_a_cause_may_hide_in_reason_or_in_the_arguments():
    by_reason = AppError("no route")
    by_reason.reason = ConnectionRefusedError()

    assert classify(by_reason).delivery is Delivery.NOT_SENT
    assert classify(AppError("aborted", ConnectionRefusedError())).delivery is Delivery.NOT_SENT


def test_an_error_that_was_merely_being_handled_proves_nothing_about_delivery():
    """The second backend's lost reply must not pass for the first one's refusal."""
    try:
        try:
            raise ConnectionRefusedError  # noqa: TRY301 - two steps, as the host would take them
        except ConnectionRefusedError:
            raise AppError("the replica did not answer either")  # noqa: B904 - this is what is tested
    except AppError as error:
        info = classify(error)

    assert (info.category, info.delivery) == (Category.CONNECTION, Delivery.UNKNOWN)


def test_from_none_forgets_what_was_being_handled():
    try:
        try:
            raise ConnectionRefusedError  # noqa: TRY301 - two steps, as the host would take them
        except ConnectionRefusedError:
            raise AppError from None
    except AppError as error:
        info = classify(error)

    assert info.category is Category.APPLICATION


def test_of_several_calls_one_may_have_got_through():
    info = classify(ExceptionGroup("both", [ConnectionRefusedError(), ConnectionRefusedError()]))

    assert (info.category, info.delivery) == (Category.CONNECTION, Delivery.UNKNOWN)


def test_a_group_that_holds_a_cancellation_is_one():
    assert classify(BaseExceptionGroup("", [asyncio.CancelledError()])).category is Category.CANCELLED


def test_giving_up_after_several_tries_proves_nothing_about_the_first():
    class RetryError(Exception):
        pass

    error = RetryError()
    error.__cause__ = ConnectionRefusedError()

    assert classify(error).delivery is Delivery.UNKNOWN


def test_a_telling_name_is_enough_for_a_category_and_not_for_a_proof():
    class ConnectTimeout(Exception):
        pass

    info = classify(ConnectTimeout())

    assert (info.category, info.delivery) == (Category.CONNECTION, Delivery.UNKNOWN)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        (
            {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "9" * 40}, None),
        ({}, None),
        (None, None),
    ],
)
def test_how_long_the_backend_asks_us_to_wait(headers, seconds):
    error = AppError()
    error.response = type("Response", (), {"status": 503, "headers": headers})()

    assert classify(error).retry_after == seconds


@pytest.mark.parametrize(("value", "seconds"), [(2, 2.0), (0.5, 0.5), (-1, None), ("2", None), (True, None)])
def test_an_attribute_retry_after_means_throttled(value, seconds):
    error = AppError()
    error.retry_after = value

    info = classify(error)

    assert info.retry_after == seconds
    assert (info.category is Category.THROTTLED) == (seconds is not None)


@pytest.mark.parametrize(
    ("state", "category", "delivery"),
    [
        ("08001", "connection", "not_sent"),
        ("08006", "communication", "unknown"),
        ("08007", "communication", "unknown"),
        ("22012", "validation", "rejected"),
        ("23503", "validation", "rejected"),
        ("40P01", "conflict", "rejected"),
        ("40003", "communication", "unknown"),
        ("53300", "resource", "unknown"),
        ("57P03", "resource", "unknown"),
        ("58030", "system", "unknown"),
        ("42601", "application", "unknown"),
        ("HY000", "application", "unknown"),
    ],
)
def test_what_an_sqlstate_means(state, category, delivery):
    error = AppError()
    error.sqlstate = state

    info = classify(error)

    assert (info.category, info.delivery) == (category, delivery)


def test_facts_cannot_be_changed():
    with pytest.raises(AttributeError):
        BY_CATEGORY[Category.TIMEOUT].delivery = Delivery.NOT_SENT
    assert isinstance(BY_CATEGORY[Category.TIMEOUT], ErrorInfo)
    assert BY_CATEGORY[Category.CANCELLED].strategy == Strategy.RERAISE


ELSEWHERE = {"psycopg2", "psycopg_pool", "throwbar"}  # not installed for the tests, or not raised yet


def all_exceptions(kind=BaseException):
    return {kind}.union(*(all_exceptions(child) for child in kind.__subclasses__()))


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
    real = {name_of(kind) for kind in all_exceptions()}

    known = {name for name in [*DECIDED, *EXACT, *LEANING] if name.partition(".")[0] not in ELSEWHERE}

    assert known - real == set()


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)

    written = {category: row.split(" | ") for category, row in rows if category in set(Category)}

    yes = {True: "yes", False: "no"}
    assert written == {
        category: [info.severity, info.strategy, info.delivery, yes[info.retryable], yes[info.countable]]
        for category, info in BY_CATEGORY.items()
    }
