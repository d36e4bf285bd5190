"""Which evidence is heard, in which order, and what it proves."""

import asyncio

import pytest

from throwbar.evidence import classify
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery


class AppError(Exception):
    pass


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
