import asyncio
import functools
import threading

import pytest

import throwbar
from tests.sdk.fake_control_plane import FakeControlPlane, a_document, a_flag, a_share


class Boom(Exception):
    pass


def serve(server: FakeControlPlane, client: throwbar.Client, share: int, **changes):
    version = server.document["version"] + 1
    server.document = a_document(version, flags={"orders": a_flag(operations=a_share(share), **changes)})
    assert client.flush()
    assert client.status().version == version


def settled(client, clock, server):
    clock.tick(30)
    assert client.flush()
    return server.cells


@pytest.fixture
def orders(client: throwbar.Client):
    assert client.wait_ready(60)
    return client.migration("orders", baseline="old")


def an_operation(orders, name="read"):
    operation = orders.operation(name, kind=throwbar.READ)
    operation.baseline(lambda *args, **kwargs: ("old", args, kwargs))
    operation.candidate(lambda *args, **kwargs: ("new", args, kwargs))
    return operation


@pytest.mark.parametrize(("share", "side"), [(0, "old"), (100_000, "new")])
def test_an_operation_runs_the_side_that_was_decided(orders, client, server, share, side):
    operation = an_operation(orders)
    serve(server, client, share)

    assert operation(1, key="k", attributes={"a": 1}, more=2) == (side, (1,), {"more": 2})


@pytest.mark.parametrize(("share", "side"), [(0, "old"), (100_000, "new")])
def test_an_operation_in_the_body_of_a_class_is_a_method(orders, client, server, share, side):
    class Shop:
        operation = an_operation(orders)

    shop = Shop()
    serve(server, client, share)

    assert shop.operation(1, key="k") == (side, (shop, 1), {})
    assert (shop.operation.name, shop.operation.__name__) == ("read", "read")


@pytest.mark.parametrize("share", [0, 100_000])
def test_an_exception_comes_out_as_the_same_object_after_one_call(orders, client, server, clock, share):
    error, calls = Boom(), []

    def fail():
        calls.append(1)
        raise error

    operation = orders.operation("read")
    operation.baseline(fail)
    operation.candidate(fail)
    serve(server, client, share)

    with pytest.raises(Boom) as caught:
        operation(key="k")

    assert caught.value is error
    assert calls == [1]
    (cell,) = settled(client, clock, server)
    assert (cell["calls"], cell["ok"], cell["errors"], cell["bad_keys"]) == (1, 0, {"application": 1}, 1)


def test_coroutine_functions_are_routed_by_acall_and_by_plain_call(orders, client, server, clock):
    operation = orders.operation("read")

    @operation.baseline
    async def _(x):
        return "old", x

    @operation.candidate
    async def _(x):
        await asyncio.sleep(0)
        return "new", x

    serve(server, client, 100_000)

    async def both():
        return await operation.acall(1, key="k"), await operation(2, key="k")

    assert asyncio.run(both()) == (("new", 1), ("new", 2))
    assert settled(client, clock, server)[0]["calls"] == 2


def test_many_coroutines_at_once_are_each_counted_once(orders, client, server, clock):
    @orders.route("read", candidate=asyncio.sleep, key=lambda delay, result: result)
    async def read(delay, result):
        return await asyncio.sleep(delay, result)

    serve(server, client, 50_000)

    async def all_at_once():
        return await asyncio.gather(*(read(0.001 * (number % 3), f"k{number}") for number in range(300)))

    assert asyncio.run(all_at_once()) == [f"k{number}" for number in range(300)]
    cells = settled(client, clock, server)
    assert sum(cell["ok"] for cell in cells) == 300
    assert sum(cell["keys"] for cell in cells) == 300
    assert {cell["side"] for cell in cells} == {"baseline", "candidate"}


def test_a_cancelled_coroutine_is_neither_good_nor_bad(orders, client, server, clock):
    @orders.route("read", candidate=asyncio.sleep, key=lambda delay: "k")
    async def read(delay):
        await asyncio.sleep(delay)

    serve(server, client, 50_000)

    async def cancel_one():
        task = asyncio.create_task(read(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_one())

    (cell,) = settled(client, clock, server)
    assert (cell["errors"], cell["ok"], cell["bad_keys"], cell["keys"]) == ({"cancelled": 1}, 0, 0, 0)


def test_routed_functions_and_methods_keep_their_call_sites(orders, client, server):
    class Shop:
        def find(self, item):
            """Find it."""
            return "old", self, item

        def find_anew(self, item):
            return "new", self, item

        find = orders.route("read", candidate=find_anew, key=lambda self, item: item)(find)

    shop = Shop()
    serve(server, client, 100_000)

    assert shop.find("a") == ("new", shop, "a")
    assert shop.find(item="a") == ("new", shop, "a")
    assert (Shop.find.__name__, Shop.find.__doc__) == ("find", "Find it.")


def test_attributes_of_a_route_meet_the_rules(orders, client, server):
    rule = {"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "candidate"}

    @orders.route("read", candidate=lambda tenant: "new", attributes=lambda tenant: {"tenant": tenant})
    def read(tenant):
        return "old"

    serve(server, client, 0, rules=[rule])

    assert (read("acme"), read("bolt")) == ("new", "old")


def test_an_attempt_tells_where_to_go_and_counts_the_block(orders, client, server, clock):
    serve(server, client, 100_000)

    with orders.attempt("read", key="k") as attempt:
        assert (attempt.candidate, attempt.backend) == (True, "new")
        assert attempt.decision == orders.decide("read", key="k")
    with pytest.raises(Boom), orders.attempt("read", key="k"):
        raise Boom

    (cell,) = settled(client, clock, server)
    assert (cell["calls"], cell["ok"], cell["backend"], cell["assigned_by"]) == (2, 1, "new", "share")


def test_an_attempt_may_end_in_another_thread(orders, client, server, clock):
    attempt = orders.attempt("read", key="k")
    attempt.__enter__()
    other = threading.Thread(target=attempt.__exit__, args=(None, None, None))
    other.start()
    other.join()

    assert [cell["ok"] for cell in settled(client, clock, server)] == [1]


def test_a_decision_is_counted_nowhere(orders, client, server, clock):
    decision = orders.decide("read", key="k")

    assert decision.version == client.status().version
    assert settled(client, clock, server) == []


def test_a_decision_keeps_the_version_it_was_made_under(orders, client, server):
    before = orders.decide("read", key="k")
    server.document = a_document(server.document["version"] + 1)
    client.flush()

    after = orders.decide("read", key="k")

    assert (before.version, after.version) == (1, 2)
    assert before.backend == after.backend


@pytest.mark.parametrize("key", [7, 7.5, b"7", ("a", 1), True])
def test_keys_of_other_types_are_used_by_their_text(orders, key):
    assert orders.decide("read", key=key) == orders.decide("read", key=str(key))


class Unprintable:
    def __str__(self):
        raise Boom


def test_a_key_without_text_goes_to_the_baseline_once(orders, client, server, clock):
    operation = an_operation(orders)
    serve(server, client, 100_000)

    assert operation(key=Unprintable())[0] == "old"
    assert orders.decide("read", key=Unprintable()).reason == "sdk_error"
    assert client.status().internal_errors == 2
    settled(client, clock, server)
    assert server.reports[-1]["dropped"] == {"sdk_errors": 2}


def test_a_failing_key_function_sends_the_call_to_the_baseline(orders, client, server):
    @orders.route("read", candidate=lambda x: "new", key=lambda x: x["session"])
    def read(x):
        return "old"

    serve(server, client, 100_000)

    assert read({}) == "old"
    assert read({"session": "k"}) == "new"


def test_a_bug_in_the_tally_costs_the_caller_nothing(orders, client, server, monkeypatch):
    operation = an_operation(orders)
    serve(server, client, 100_000)
    monkeypatch.setattr(client._engine, "perf_clock_ns", lambda: 1 / 0)

    assert operation(key="k")[0] == "new"
    assert client.status().internal_errors == 1


def generator():
    yield 1


async def async_generator():
    yield 1


async def coroutine():
    return 1


@pytest.mark.parametrize(
    "function",
    [generator, async_generator, functools.partial(generator), staticmethod(len), classmethod(len), 7],
)
def test_what_is_not_one_call_is_refused_at_decoration(orders, function):
    with pytest.raises(throwbar.ConfigurationError):
        orders.operation("read").baseline(function)
    with pytest.raises(throwbar.ConfigurationError):
        orders.route("read", candidate=function)(len)


def test_both_sides_must_be_called_alike(orders):
    operation = orders.operation("read")
    operation.baseline(coroutine)

    with pytest.raises(throwbar.ConfigurationError, match="plain function"):
        operation.candidate(len)


def test_an_operation_without_a_candidate_is_refused_at_its_first_call(orders):
    operation = orders.operation("read")
    operation.baseline(len)

    with pytest.raises(throwbar.ConfigurationError, match="no candidate"):
        operation("x", key="k")


def test_a_side_cannot_be_given_twice(orders):
    operation = orders.operation("read")
    operation.baseline(len)

    with pytest.raises(throwbar.ConfigurationError, match="already"):
        operation.baseline(max)


def test_acall_of_plain_functions_says_so(orders):
    with pytest.raises(throwbar.ConfigurationError, match="without acall"):
        asyncio.run(an_operation(orders).acall(key="k"))


@pytest.mark.parametrize("wrong", [{"kind": "sometimes"}, {"deadline": 0}, {"deadline": -1.0}])
def test_a_malformed_declaration_is_refused(orders, wrong):
    with pytest.raises(throwbar.ConfigurationError):
        orders.operation("read", **wrong)


def test_operation_names_made_up_at_run_time_do_not_fill_the_memory(orders):
    for number in range(1_500):
        orders.decide(f"made-up-{number}", key="k")

    assert len(orders._bindings) == 1_000


@pytest.mark.parametrize("name", ["", None, 7, "x" * 101, "a\nb", "\ud800"])
def test_a_name_that_no_report_could_hold_is_refused(client, orders, name):
    for use in (orders.decide, orders.attempt, orders.operation, client.migration):
        with pytest.raises(throwbar.ConfigurationError):
            use(name)
