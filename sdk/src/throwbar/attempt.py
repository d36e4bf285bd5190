"""How is code routed that cannot be two functions? One `with` block, which asks where to go and is watched."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.decision import Decision


class Attempt:
    """One call. Good for one `with` block; an exception that leaves the block counts as the call's failure.

    The breaker is asked and told; a block cannot be run again, so there is neither a retry nor a fallback.
    """

    __slots__ = ("_attributes", "_binding", "_key", "_opened", "backend", "candidate")

    def __init__(self, binding: Binding, key: object, attributes: Mapping[str, Any] | None) -> None:
        self._binding = binding
        self._key = key
        self._attributes = attributes

    def __enter__(self) -> Self:
        self._opened: Opened = self._binding.open(self._key, self._attributes)
        choice = self._opened[0]
        self.candidate: bool = choice.candidate
        self.backend: str = choice.backend
        return self

    @property
    def decision(self) -> Decision:
        choice, bound, *_ = self._opened
        return choice.decision(bound.snapshot.version)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._binding.finish(self._opened)
        else:
            self._binding.fail(self._opened, error)
