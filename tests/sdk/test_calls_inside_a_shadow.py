"""Calls that are routed inside a shadow call: no user waits for them, so they are told apart from a user's."""

import asyncio
import threading

import pytest

import throwbar
from tests.sdk.fake_control_plane import a_document, a_flag, a_share
from tests.sdk.routing import Service

ALL = 100_000
PATIENCE = 20  # seconds, which only a defect needs


@pytest.fixture
def service():
    """`read` is shadowed, and its candidate asks for `stock`, half of whose keys go to either side."""
    service = Service()
    stock = a_share(50_000)["read"]
    operations = {**a_share(0, mode="shadow", shadow_share=ALL), "stock": stock}
    version = service.server.document["version"] + 1
    service.server.document = a_document(version, flags={"orders": a_flag(operations=operations)})
    assert service.client.flush()
    yield service
    service.client.close()


def operation_of(service, name, baseline, candidate, kind=throwbar.READ):
    operation = service.orders.operation(name, kind=kind)
    operation.baseline(baseline)
    operation.candidate(candidate)
    return operation


def calls(service):
    service.cells()
    told = {}
    for cell in service.server.cells:
        place = (cell["operation"], cell["assigned_by"])
        told[place] = told.get(place, 0) + cell["calls"]
    return told


def test_they_are_assigned_by_shadow_and_what_a_user_calls_is_not(service):
    done = threading.Event()
    stock = operation_of(service, "stock", lambda: 1, lambda: 1)

    def ask(_):
        for number in range(6):
            stock(key=f"k{number}")
        done.set()

    read = operation_of(service, "read", lambda _: None, ask)
    stock(key="k0")
    read("x", key="k")
    assert done.wait(PATIENCE)
    for number in range(3):
        stock(key=f"k{number}")

    told = calls(service)
    assert (told["stock", "shadow"], told["stock", "share"]) == (6, 4)
    assert (told["read", "shadow"], told["read", "share"]) == (1, 1)


def test_so_are_those_that_fail_and_are_rescued(service):
    done = threading.Event()

    def fail():
        raise ConnectionRefusedError("refused")

    stock = operation_of(service, "stock", lambda: 1, fail)

    def ask(_):
        for number in range(6):
            stock(key=f"k{number}")
        done.set()

    operation_of(service, "read", lambda _: None, ask)("x", key="k")
    assert done.wait(PATIENCE)

    service.cells()
    told = [cell for cell in service.server.cells if cell["operation"] == "stock"]
    assert {cell["assigned_by"] for cell in told} == {"shadow"}
    assert sum(cell["errors"].get("connection", 0) for cell in told) > 0


def test_while_a_shadow_waits_in_the_loop_the_calls_of_users_beside_it_stay_theirs(service):
    async def story():
        begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        stock = operation_of(service, "stock", lambda: 1, lambda: 1)

        async def ask(_):
            stock(key="k0")
            begun.set()
            await go_on.wait()
            stock(key="k1")
            ended.set()

        async def nothing(_):
            return None

        read = operation_of(service, "read", nothing, ask)
        stock(key="k0")
        await read.acall("x", key="k")
        await asyncio.wait_for(begun.wait(), PATIENCE)
        for number in range(3):
            stock(key=f"k{number}")
        go_on.set()
        await asyncio.wait_for(ended.wait(), PATIENCE)
        await asyncio.sleep(0)
        stock(key="k0")

    asyncio.run(story())

    told = calls(service)
    assert (told["stock", "shadow"], told["stock", "share"]) == (2, 5)


def test_when_it_is_over_calls_take_the_short_way_again(service):
    async def nothing(*_):
        return None

    read = operation_of(service, "read", nothing, nothing)
    stock = operation_of(service, "stock", lambda: 1, lambda: 1)

    async def story():
        await read.acall("x", key="k")
        for _ in range(5):
            await asyncio.sleep(0)
        stock(key="k0")

    asyncio.run(story())

    (mine,) = [thread for thread in service.client._engine.tally.threads if thread.current]
    assert mine.shadows == set()
    assert any(choice.plan.operation == "stock" for choice in mine.current)
