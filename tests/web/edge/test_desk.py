"""Is a thread of the site spent on whole requests only?"""

import asyncio
from typing import Any

from web.edge.desk import LARGEST, Desk
from web.edge.http import Message, Receive, Scope, Send


class Site:
    """Writes down what reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def a_chunk(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def visit(*messages: Message, query: bytes = b"", **headers: bytes) -> tuple[int | None, list[bytes]]:
    """The status, and the bodies that the site has seen."""
    site, statuses, left = Site(), [], list(messages)
    given = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "query_string": query, "headers": given}

    async def receive() -> Message:
        return left.pop(0)

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    asyncio.run(Desk(site)(scope, receive, send))
    return next(iter(statuses), None), site.bodies


def test_a_body_in_pieces_arrives_as_one() -> None:
    assert visit(a_chunk(b"a"), a_chunk(b"b"), a_chunk(b"c", more=False)) == (200, [b"abc"])


def test_half_a_body_is_no_request() -> None:
    assert visit(a_chunk(b"name=a"), {"type": "http.disconnect"}) == (None, [])


def test_a_body_announced_too_large_is_not_read() -> None:
    assert visit(content_length=b"%d" % (LARGEST + 1)) == (413, [])


def test_a_body_that_becomes_too_large_is_not_read_on() -> None:
    assert visit(a_chunk(b"x" * LARGEST), a_chunk(b"x")) == (413, [])


def test_a_query_that_is_no_ascii_is_refused() -> None:
    assert visit(a_chunk(b"", more=False), query=b"q=\xff") == (400, [])
