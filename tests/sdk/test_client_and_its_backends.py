import asyncio
import logging

import pytest

import throwbar
from tests.sdk.fake_control_plane import a_document, a_flag, a_share
from throwbar.errors import ConfigurationError


class Pool:
    """Notes its end in a list that it shares with others."""

    def __init__(self, name, ended, error=None):
        self.name = name
        self.ended = ended
        self.error = error

    def close(self):
        self.ended.append(self.name)
        if self.error is not None:
            raise self.error


class AwaitedPool(Pool):
    async def aclose(self):
        await asyncio.sleep(0)
        self.close()


def made(backend):
    backend.get()
    return backend


async def amade(backend):
    await backend.aget()
    return backend


def test_closing_a_client_ends_what_it_owns_the_newest_first(client):
    ended = []
    made(client.backend(lambda: Pool("created", ended)))
    registry = client.adapters({"old": lambda: Pool("old", ended), "new": lambda: Pool("new", ended)}, baseline="old")
    made(registry["old"])
    made(registry["new"])
    made(client.owns(throwbar.Backend(lambda: Pool("handed over", ended))))

    client.close()

    assert ended == ["handed over", "new", "old", "created"]


def test_what_was_never_made_is_not_made_to_be_closed(client):
    client.backend(lambda: pytest.fail("made"))

    client.close()


def test_closing_again_ends_nothing_twice(client):
    ended = []
    backend = made(client.backend(lambda: Pool("pool", ended)))

    client.close()
    made(backend)  # somebody's late call
    client.close()

    assert ended == ["pool"]


def test_what_a_backend_raises_at_its_end_is_logged_and_the_others_are_ended(client, caplog):
    ended = []

    class Rude(throwbar.Backend):
        def close(self):
            raise OSError("rude")

    for error in (None, OSError("first"), None, ValueError("second")):
        made(client.backend(lambda error=error: Pool(str(error), ended, error)))
    client.owns(Rude(lambda: None))

    with caplog.at_level(logging.WARNING, "throwbar"):
        client.close()

    assert ended == ["second", "None", "first", "None"]
    assert [str(record.exc_info[1]) for record in caplog.records] == ["rude", "second", "first"]


def test_the_last_report_is_sent_before_a_backend_that_does_not_want_to_end(client, server, clock):
    server.document = a_document(flags={"orders": a_flag(operations=a_share(100_000))})
    assert client.wait_ready(20)
    with client.migration("orders").attempt("read"):
        clock.tick(60)
    reports = []
    made(client.backend(object, close=lambda _: reports.append(len(server.cells))))

    client.close()

    assert reports == [1]


def test_a_client_of_coroutines_awaits_the_end_of_its_backends(client):
    ended = []

    async def life():
        async def make():
            return AwaitedPool("awaited", ended)

        async with client:
            await amade(client.backend(make))
            await amade(client.backend(lambda: Pool("plain", ended)))
            registry = client.adapters({"old": lambda: AwaitedPool("registered", ended)}, baseline="old")
            await amade(registry["old"])

    asyncio.run(life())

    assert ended == ["registered", "plain", "awaited"]


def test_a_backend_that_has_to_be_awaited_is_named_by_a_close_that_cannot(client, caplog):
    ended = []

    async def make_pool():
        return AwaitedPool("awaited", ended)

    asyncio.run(amade(client.backend(make_pool)))

    with caplog.at_level(logging.WARNING, "throwbar"):
        client.close()

    assert ended == []
    assert "make_pool has to be awaited: use aclose" in caplog.text


def test_a_cancelled_end_still_ends_the_backends(client, server):
    ended = []

    async def life():
        await amade(client.backend(lambda: Pool("pool", ended)))
        ending = asyncio.ensure_future(client.aclose())
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending

    asyncio.run(life())

    assert ended == ["pool"]


@pytest.mark.parametrize("thing", [None, "pool", Pool("pool", [])])
def test_what_is_no_backend_is_refused_when_it_is_handed_over(client, thing):
    with pytest.raises(ConfigurationError, match="wrap it in a Backend"):
        client.owns(thing)
