"""May a page from elsewhere ask? By OFREP alone, and where a setting names its origin: else browsers keep answers back.

No cookie counts at these doors, so that a page gets nothing that it does not hold a token for.
Source: fetch.spec.whatwg.org, the CORS protocol.
"""

from collections.abc import Collection

from controlplane.domain.origins import ANY, admits
from web.edge.doors import Door
from web.edge.http import Answer, Headers, Message, Receive, Scope, Send, reply

PREFIX = "/ofrep/"
PREFLIGHT_SECONDS = 7_200  # for so long a browser need not ask again whether it may ask; more is cut by most of them
_VARY = (b"vary", b"Origin")
_EXPOSED = (b"access-control-expose-headers", b"ETag, Retry-After")


class CrossOrigin:
    """`origins` as `read_origins` has them; without any, everything is as if it was not there."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = origins

    async def open(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._origins or not door.address.startswith(PREFIX):
            await door.open(scope, receive, send)
            return
        headers = dict(scope["headers"])
        welcome = self._welcome(headers.get(b"origin"))
        if welcome and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            asked = headers.get(b"access-control-request-headers", b"")
            await reply(send, Answer(204, (*welcome, *_preflight(door, asked))))
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *welcome, _EXPOSED, _VARY]
            await send(message)

        await door.open(scope, receive, sent)

    def _welcome(self, origin: bytes | None) -> Headers:
        """Nothing for a page that may not ask, and for what is no page."""
        if origin is None or not admits(self._origins, origin.decode("latin-1")):
            return ()
        return ((b"access-control-allow-origin", ANY.encode() if ANY in self._origins else origin),)


def _preflight(door: Door, asked: bytes) -> Headers:
    """Whatever header a page wants to send may be sent: tracing adds its own, and unknown ones are passed over."""
    return (
        (b"access-control-allow-methods", ", ".join(sorted(door.methods)).encode()),
        *(((b"access-control-allow-headers", asked),) if asked else ()),
        (b"access-control-max-age", b"%d" % PREFLIGHT_SECONDS),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    )
