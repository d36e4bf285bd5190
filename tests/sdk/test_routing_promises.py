"""What adopting the SDK promises to a service: nothing changes until somebody says so, and then exactly that."""

import asyncio
import functools
import os
import random

import pytest

import throwbar
from tests.sdk.routing import Service, raising
from throwbar.client import Client


@pytest.fixture
def nobody():
    """A client whose control plane cannot be reached."""

    def transport(*args):
        raise OSError("no route to host")

    with Client("http://throwbar.test", "t", backup_file=False, transport=transport) as client:
        yield client.migration("orders")


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def test_row_1_a_decorated_function_without_a_server_is_called_once_and_returns_the_same_object(nobody):
    calls, result = [], object()

    @nobody.route("read", candidate=lambda x: None, key=lambda x: x, kind=throwbar.READ)
    def read(x):
        calls.append(x)
        return result

    assert read("k") is result
    assert calls == ["k"]


def test_row_1_its_exception_is_the_same_object_without_a_trace_of_ours_in_its_context(nobody):
    calls, error = [], ConnectionError("theirs")

    @nobody.route("read", candidate=lambda x: None, kind=throwbar.READ, deadline=5.0, retry=throwbar.Retry())
    def read(x):
        calls.append(x)
        raise error

    with pytest.raises(ConnectionError) as caught:
        read("k")

    assert caught.value is error
    assert (error.__context__, error.__cause__, calls) == (None, None, ["k"])


def test_row_1_so_are_coroutines_and_methods(nobody):
    error = ConnectionError("theirs")

    class Shop:
        async def new(self, x): ...

        async def find(self, x):
            self.found = x
            raise error

        find = nobody.route("read", candidate=new, key=lambda self, x: x)(find)

    shop = Shop()
    with pytest.raises(ConnectionError) as caught:
        asyncio.run(shop.find("k"))

    assert caught.value is error
    assert shop.found == "k"


def numbers():
    yield 1


async def anumbers():
    yield 1


class Store:
    def numbers(self):
        yield 1


GENERATORS = [numbers, anumbers, functools.partial(numbers), Store.numbers, Store().numbers]


@pytest.mark.parametrize("generator", GENERATORS)
def test_row_1_a_generator_is_refused_when_it_is_registered(nobody, generator):
    with pytest.raises(throwbar.ConfigurationError, match="generator"):
        nobody.route("read", candidate=generator)(lambda: None)
    with pytest.raises(throwbar.ConfigurationError, match="generator"):
        nobody.route("read", candidate=lambda: None)(generator)
    with pytest.raises(throwbar.ConfigurationError, match="generator"):
        nobody.operation("read").baseline(generator)


def test_row_1_what_a_plain_function_returns_may_be_iterated_afterwards(nobody):
    made = numbers()

    @nobody.route("read", candidate=lambda: None)
    def read():
        return made

    assert read() is made
    assert list(made) == [1]


def test_row_3_shares_are_kept_and_cohorts_nested(service):
    keys = [f"session-{number}" for number in range(100_000)]
    before: set[str] = set()
    for percent in (0, 1, 10, 50, 100):
        service.serve(percent * 1000)
        decide = service.orders.decide
        candidates = {key for key in keys if decide("read", key=key).candidate}
        assert abs(len(candidates) / len(keys) - percent / 100) <= 0.003
        assert before <= candidates
        before = candidates


def test_row_20_a_fresh_flag_calls_no_candidate():
    service = Service(0)
    operation = service.operation(raising(), kind=throwbar.READ)

    for number in range(100_000):
        operation(key=number)

    assert service.called == {"old": 100_000}
    service.client.close()


def test_row_24_changing_the_percentage_alone_changes_the_routing_with_the_next_poll(service):
    operation = service.operation(raising(), kind=throwbar.READ)
    assert operation(key="k") == "new"

    service.serve(0)

    assert operation(key="k") == "old"


def test_row_24_an_operation_off_the_list_never_reaches_the_candidate(service):
    operation = service.orders.operation("unlisted", kind=throwbar.READ)
    operation.baseline(service.counted("old", lambda: "old"))
    operation.candidate(service.counted("new", lambda: "new"))

    for number in range(1_000):
        operation(key=number)

    assert service.called == {"old": 1_000}


@pytest.mark.parametrize(
    ("flag", "side"),
    [
        ({"share": 0}, "old"),
        ({"share": 100_000}, "new"),
        ({"share": 100_000, "rolled_back": True}, "old"),
        ({"share": 100_000, "breaker": {"mode": "forced_open"}}, "old"),
    ],
)
def test_row_26_the_configuration_decides_whose_result_is_returned(service, flag, side):
    service.serve(**flag)

    assert service.operation(raising(), kind=throwbar.READ)(key="k") == side


def test_row_28_no_session_sees_both_backends_while_the_rules_stand(service):
    service.serve(37_000)
    operation = service.operation(raising(), kind=throwbar.READ)
    seen: dict[int, set[str]] = {}
    seeded = random.Random(28)
    for _ in range(100_000):
        session = seeded.randrange(10_000)
        seen.setdefault(session, set()).add(operation(key=session))

    assert len(seen) > 9_900
    assert {len(sides) for sides in seen.values()} == {1}
    assert {side for sides in seen.values() for side in sides} == {"old", "new"}


def test_a_forked_child_starts_with_breakers_of_its_own(service):
    operation = service.operation(
        raising(*(ConnectionRefusedError() for _ in range(5))), kind=throwbar.READ, retry=None
    )
    for number in range(6):
        operation(key=f"k{number}")
    binding = service.orders._bind("read")
    assert service.orders.decide("read", key="k").reason == "circuit_open"

    with binding.lock, binding.guards[1].breaker._lock, binding.guards[1].retries._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if operation(key="k") == "new" and binding.guards[1].state == "closed" else 1)

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert operation(key="k") == "old"
