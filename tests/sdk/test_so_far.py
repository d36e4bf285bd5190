"""What an operation's keys have come to before a report tells of it."""

import pytest

from tests.sdk.routing import Service, raising, refused
from tests.sdk.test_tally import NEW, OLD, Setting
from throwbar import READ
from throwbar.so_far import Outages, so_far

HERE = ("orders", "read")


@pytest.fixture
def setting():
    return Setting()


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def told(setting):
    return so_far(setting.tally, {HERE})[HERE]


def test_keys_are_counted_once_and_those_turned_away_are_bad_without_having_failed(setting):
    setting.call(key="a", error="timeout")
    setting.call(key="a", error="timeout")
    setting.call(key="b")
    setting.tally.refused(NEW, "b")
    setting.tally.refused(NEW, "c")
    setting.call(OLD, key="d")

    counts = told(setting)

    assert counts["candidate"] == {"keys": 3, "bad_keys": 3, "failed_keys": 1}
    assert counts["baseline"] == {"keys": 1, "bad_keys": 0, "failed_keys": 0}
    assert (counts["attempt"], counts["start"]) == (NEW.plan.attempt, 1_790_000_010)


def test_looking_seals_nothing_and_loses_nothing(setting):
    setting.call(key="a", error="timeout")
    before = told(setting)
    setting.call(key="b", error="timeout")
    setting.clock.tick(10)

    assert before["candidate"]["keys"] == 1
    assert told(setting)["candidate"]["keys"] == 2
    (total,) = setting.settle()
    assert (total.calls, total.bad) == (2, {"a", "b"})
    assert so_far(setting.tally, {HERE}) == {}


def test_other_operations_are_not_looked_at(setting):
    setting.call(key="a")

    assert so_far(setting.tally, {("orders", "write")}) == {}


def test_a_cancelled_call_says_nothing_about_its_key(setting):
    setting.call(key="a", error="cancelled")

    assert told(setting)["candidate"]["keys"] == 0


def test_a_report_tells_it_while_the_breaker_is_open_and_only_then(service):
    answers = raising(*(refused() for _ in range(10_000)))
    operation = service.operation(answers, kind=READ, retry=None)
    service.client.flush()
    quiet = service.server.reports[-1]
    for number in range(30):
        operation(key=f"k{number}")
    service.client.flush()

    counts = [each["so_far"] for each in service.told("breakers")][-1]

    assert "breakers" not in quiet
    assert counts["candidate"] == {"keys": 30, "bad_keys": 30, "failed_keys": 5}


def test_reports_follow_each_other_closely_after_a_breaker_opened_and_not_for_long(service):
    exchange = service.client._poller._exchange
    operation = service.operation(raising(*(refused() for _ in range(10_000))), kind=READ, retry=None)
    for number in range(30):
        operation(key=f"k{number}")

    service.client.flush()
    assert exchange.is_urgent
    service.clock.tick(13)
    service.client.flush()
    assert not exchange.is_urgent


def test_how_many_failed_is_remembered_while_the_breaker_is_open(setting):
    outages = Outages()
    for key in "abcd":
        setting.call(key=key, error="timeout")
    outages.told(setting.tally, {HERE})
    setting.clock.tick(10)
    setting.settle()
    for key in "efghi":
        setting.tally.refused(NEW, key)

    later = outages.told(setting.tally, {HERE})[HERE]["candidate"]
    outages.told(setting.tally, set())
    again = outages.told(setting.tally, {HERE})[HERE]["candidate"]

    assert later == {"keys": 5, "bad_keys": 5, "failed_keys": 4}
    assert again == {"keys": 5, "bad_keys": 5, "failed_keys": 0}


def test_one_broken_key_opens_the_breaker_for_all_and_remains_the_only_one_that_failed(service):
    operation = service.operation(raising(*(refused() for _ in range(10_000))), kind=READ, retry=None)
    for _ in range(10):
        operation(key="broken")
    for number in range(30):
        operation(key=f"k{number}")
    service.client.flush()

    counts = [each["so_far"] for each in service.told("breakers")][-1]
    assert counts["candidate"] == {"keys": 31, "bad_keys": 1, "failed_keys": 1}
