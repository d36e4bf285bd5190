"""How is code routed that cannot be two functions? One `with` block, which asks where to go and is timed."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from throwbar.binding import Binding
from throwbar.decision import Choice, Decision
from throwbar.tally import OpenToken


class Attempt:
    """One call. Good for one `with` block; an exception that leaves the block counts as the call's failure."""

    __slots__ = ("_attributes", "_binding", "_choice", "_key", "_token", "_version", "backend", "candidate")

    def __init__(self, binding: Binding, key: object, attributes: Mapping[str, Any] | None) -> None:
        self._binding = binding
        self._key = key
        self._attributes = attributes

    def __enter__(self) -> Self:
        choice, version, token = self._binding.open(self._key, self._attributes)
        self._choice: Choice = choice
        self._version: int = version
        self._token: OpenToken | None = token
        self.candidate: bool = choice.candidate
        self.backend: str = choice.backend
        return self

    @property
    def decision(self) -> Decision:
        return self._choice.decision(self._version)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._binding.close(self._token, error)
