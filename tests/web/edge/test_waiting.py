"""Does one broadcaster answer everyone, whatever some of them do?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from web.edge.http import Answer, Message
from web.edge.snapshots import Snapshot, snapshot_of
from web.edge.waiting import Waiter, WaitingRoom

REFUSED = Answer(401, ())


def a_snapshot(version: int) -> Snapshot:
    return snapshot_of({"source": "s", "version": version, "flags": {}})


OLD, NEW = a_snapshot(1), a_snapshot(2)


class Client:
    """One end of a connection. `reads` is cleared for one that stops reading."""

    def __init__(self, environment: str = "production", *, wait: float = 60.0, token_hash: str = "t") -> None:
        self.status: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()
        deadline = asyncio.get_running_loop().time() + wait
        self.waiter = Waiter(self.send, environment, token_hash, OLD.etag, False, deadline, OLD.unchanged)

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.status = message.get("status", self.status)
        if message["type"] == "http.response.body":
            self.gone.set()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


def run(story: Callable[[WaitingRoom], Awaitable[Any]]) -> Any:
    async def told() -> Any:
        return await asyncio.wait_for(story(WaitingRoom()), 60)

    return asyncio.run(told())


async def seated(room: WaitingRoom, *clients: Client) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(room.wait(each.waiter, each.receive)) for each in clients]
    await asyncio.sleep(0)
    return tasks


def test_everyone_it_is_news_to_is_answered() -> None:
    async def story(room: WaitingRoom) -> Any:
        here, elsewhere = Client(), Client("staging")
        await seated(room, here, elsewhere)
        await room.publish("production", NEW)
        return here.status, elsewhere.status, len(room)

    assert run(story) == (200, None, 1)


def test_an_old_snapshot_is_no_news() -> None:
    async def story(room: WaitingRoom) -> Any:
        client = Client()
        await seated(room, client)
        await room.publish("production", OLD)
        return client.status, len(room)

    assert run(story) == (None, 1)


def test_who_stops_reading_holds_nobody_up_and_is_answered_when_it_reads_again() -> None:
    async def story(room: WaitingRoom) -> Any:
        clients = [Client() for _ in range(300)]
        tasks = await seated(room, *clients)
        clients[0].reads.clear()
        await room.publish("production", NEW)
        meanwhile = [client.status for client in clients]
        clients[0].reads.set()
        await asyncio.gather(*tasks)
        return meanwhile, clients[0].status

    meanwhile, at_last = run(story)

    assert meanwhile == [None] + [200] * 299
    assert at_last == 200


def test_others_get_their_turn_during_a_broadcast() -> None:
    async def story(room: WaitingRoom) -> Any:
        clients = [Client() for _ in range(1000)]
        await seated(room, *clients)
        turns = []

        async def other() -> None:
            while not turns or turns[-1] < 1000:
                turns.append(sum(client.status == 200 for client in clients))
                await asyncio.sleep(0)

        await asyncio.gather(room.publish("production", NEW), other())
        return turns

    assert any(0 < turn < 1000 for turn in run(story))


def test_whose_time_is_over_is_told_that_nothing_is_new() -> None:
    async def story(room: WaitingRoom) -> Any:
        late, early = Client(wait=0.0), Client()
        waits, _ = await seated(room, late, early)
        sweeping = asyncio.create_task(room.sweep())
        await waits
        sweeping.cancel()
        return late.status, early.status

    assert run(story) == (304, None)


def test_who_has_lost_the_right_is_shown_out() -> None:
    async def story(room: WaitingRoom) -> Any:
        good, bad = Client(token_hash="good"), Client(token_hash="bad")
        await seated(room, good, bad)
        await room.dismiss(lambda token_hash: token_hash == "good", REFUSED)
        return good.status, bad.status

    assert run(story) == (None, 401)


def test_a_closed_room_keeps_nobody() -> None:
    async def story(room: WaitingRoom) -> Any:
        before, after = Client(), Client()
        await seated(room, before)
        await room.close()
        await room.wait(after.waiter, after.receive)
        return before.status, after.status, len(room)

    assert run(story) == (304, 304, 0)


def test_a_connection_that_breaks_while_it_is_answered_harms_nobody() -> None:
    async def story(room: WaitingRoom) -> Any:
        broken, whole = Client(), Client()

        async def breaks(message: Message) -> None:
            raise ConnectionResetError(message["type"])

        broken.waiter.send = breaks
        await seated(room, broken, whole)
        await room.publish("production", NEW)
        return whole.status

    assert run(story) == 200
