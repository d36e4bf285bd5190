"""Which door of the edge does an address belong to?"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from web.edge.http import Problem, Receive, Scope, Send, problem, reply

Answering = Callable[[Scope, Receive, Send], Awaitable[None]]

_PLACE = re.compile(r"<\w+>")
_LAST = re.compile(r"<\w+>$")


@dataclass(frozen=True, slots=True)
class Door:
    """`address` as the table of rules writes it; what stands for a `<name>` holds slashes only at the end."""

    methods: frozenset[str]
    address: str
    answer: Answering

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(_PLACE.sub("[^/]+", _LAST.sub(".+", self.address)), re.DOTALL)

    async def open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, also with what is refused."""
        is_head = scope["method"] == "HEAD"
        try:
            if scope["method"] not in self.methods:
                allowed = ", ".join(sorted(self.methods))
                raise problem(405, f"only {allowed} here", (b"allow", allowed.encode()))
            await self.answer(scope, receive, send)
        except Problem as refused:
            await reply(send, refused.answer, head=is_head)


class Doors:
    """All of them; most are found by their whole address, in one look."""

    def __init__(self, *doors: Door) -> None:
        self._doors = doors
        self._exact = {door.address: door for door in doors if not _PLACE.search(door.address)}
        self._placed = [(door.pattern, door) for door in doors if _PLACE.search(door.address)]

    def __call__(self, path: str) -> Door | None:
        found = self._exact.get(path)
        if found:
            return found
        return next((door for pattern, door in self._placed if pattern.fullmatch(path)), None)

    @property
    def names(self) -> frozenset[str]:
        """As `METHOD address`; HEAD goes where GET does."""
        return frozenset(f"{each} {door.address}" for door in self._doors for each in door.methods - {"HEAD"})


def reading(address: str, answer: Answering) -> Door:
    return Door(frozenset(("GET", "HEAD")), address, answer)


def listening(address: str, answer: Answering) -> Door:
    """What goes on as long as somebody listens has no length that HEAD could tell."""
    return Door(frozenset(("GET",)), address, answer)


def posting(address: str, answer: Answering) -> Door:
    return Door(frozenset(("POST",)), address, answer)
