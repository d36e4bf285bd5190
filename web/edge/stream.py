"""What do open pages hear? One broadcaster looks at the environments somebody watches, and tells what has changed.

A page is told which flags changed and fetches what it shows itself, by the routes that check what it may see. A stream
is opened by a signed-in person only, and ends soon after the session or the role does.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TypeVar
from urllib.parse import unquote

import msgspec

from controlplane.domain.access import Role
from controlplane.usecases.stirring import Marks
from web.edge.brain import Brain
from web.edge.http import Receive, Scope, Send, problem
from web.edge.sse import tell

LOOK_SECONDS = 0.5
MOST = 256  # streams of a process; whoever is not let in polls
MOST_OF_ONE = 8  # of one session: a person has so many tabs
MOST_NAMED = 100  # flags named in one event; more than that means: everything
COOKIE = "throwbar_session"
_HELLO, _FAREWELL = b"event: hello\ndata: {}\n\n", b"event: over\ndata: {}\n\n"
PATH = re.compile(r"/environments/([^/]+)/stream")

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(slots=True, eq=False)
class _Listener:
    """One open page. `news` holds what it has not been told yet: names of flags, or None for everything."""

    environment: str
    secret: str
    may_watch: Callable[["_Listener"], Awaitable[bool]]
    news: set[str | None] = field(default_factory=set)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    async def words(self) -> bytes | None:
        if not await self.may_watch(self):
            return None
        news, self.news = self.news, set()
        return _event(news) if news else b""


class Stream:
    """All open pages of this process."""

    def __init__(self, brain: Brain, reader: Executor) -> None:
        self._brain = brain
        self._reader = reader
        self._listeners: dict[_Listener, None] = {}
        self._known: dict[str, Marks] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the page is closed, the session ends or the server stops. Raises Problem."""
        environment, secret = _environment_of(scope), _session_of(scope)
        await self._require(environment, secret)
        listener = self._admitted(environment, secret)
        try:
            await tell(listener, receive, send, hello=_HELLO, farewell=_FAREWELL)
        finally:
            self._listeners.pop(listener, None)

    def close(self) -> None:
        """Let every page go; browsers come back by themselves."""
        self._closed = True
        for each in self._listeners:
            each.bell.set()

    async def run(self) -> None:
        """Forever: one look for all that listen, and none while nobody does."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for environment in {each.environment for each in self._listeners}:
                await self._look(environment)
            self._known = {name: self._known[name] for name in self._known if self._is_watched(name)}

    def _is_watched(self, environment: str) -> bool:
        return any(each.environment == environment for each in self._listeners)

    def _admitted(self, environment: str, secret: str) -> _Listener:
        own = sum(each.secret == secret for each in self._listeners)
        if self._closed or len(self._listeners) >= MOST or own >= MOST_OF_ONE:
            raise problem(503, "there are too many open streams: the page polls instead", (b"retry-after", b"30"))
        listener = _Listener(environment, secret, self._still_may)
        self._listeners[listener] = None
        return listener

    async def _require(self, environment: str, secret: str) -> None:
        role = await self._off_loop(lambda: self._brain.role(secret, environment)) if secret else None
        if role is None:
            raise problem(401, "sign in to watch: the session is over, or sees nothing of this environment")

    async def _still_may(self, listener: _Listener) -> bool:
        if self._closed:
            return False
        role: Role | None = await self._off_loop(lambda: self._brain.role(listener.secret, listener.environment))
        return role is not None

    async def _look(self, environment: str) -> None:
        looking = asyncio.ensure_future(self._off_loop(lambda: self._brain.marks(environment)))
        await asyncio.wait([looking])
        if error := looking.exception():  # a database that is away is told by /readyz; pages poll and say so
            _log.debug("the marks of %s could not be read", environment, exc_info=error)
            return
        marks = looking.result()
        before, self._known[environment] = self._known.get(environment), marks
        changed = _changed(before, marks) if before else set()
        for each in self._listeners:
            if changed and each.environment == environment:
                each.news |= changed
                each.bell.set()

    async def _off_loop(self, question: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, question)


def _changed(before: Marks, after: Marks) -> set[str | None]:
    """Names of flags; None where more than flags changed, or too many of them."""
    found: set[str | None] = set(_differing(before.flags, after.flags))
    return {None} if before.processes != after.processes or len(found) > MOST_NAMED else found


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _event(news: set[str | None]) -> bytes:
    everything = None in news
    told = {"all": everything, "flags": [] if everything else sorted(name for name in news if name)}
    return b"event: changed\ndata: " + msgspec.json.encode(told) + b"\n\n"


def _environment_of(scope: Scope) -> str:
    match = PATH.fullmatch(scope["path"])
    return unquote(match[1]) if match else ""


def _session_of(scope: Scope) -> str:
    """The secret of the session cookie; empty without one."""
    try:
        cookies = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""
