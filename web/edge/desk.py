"""What is done with a request before a thread of the site is spent on it."""

from collections.abc import Mapping

from web.edge.http import Application, Message, Problem, Receive, Scope, Send, problem, reply

LARGEST = 1 << 20  # bytes; the site refuses larger bodies by their announced length


class Desk:
    """Takes the whole body first: a client that sends slowly, or leaves halfway, must not hold one of few threads."""

    def __init__(self, site: Application) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _body_of(scope, receive)
        except Problem as refused:
            await reply(send, refused.answer, head=scope["method"] == "HEAD")
            return
        if body is not None:
            await self._site(scope, _replay(body), send)


async def _body_of(scope: Scope, receive: Receive) -> Message | None:
    """The body as one message; None when the client went away. Raises Problem."""
    if not scope["query_string"].isascii():
        raise problem(400, "the query holds bytes that are not ASCII: percent-encode them")
    _require_fitting(dict(scope["headers"]))
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            raise _too_large()
    return {"type": "http.request", "body": bytes(body), "more_body": False}


def _require_fitting(headers: Mapping[bytes, bytes]) -> None:
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > LARGEST:
        raise _too_large()


def _too_large() -> Problem:
    return problem(413, f"a body may have {LARGEST} bytes", (b"connection", b"close"))


def _replay(body: Message) -> Receive:
    async def receive() -> Message:
        return body

    return receive
