"""Which object does a decision mean? Backends by name, none of which is made before a decision asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from throwbar.backends import Backend, InitializationFailed
from throwbar.decision import Decision
from throwbar.errors import ConfigurationError


class AdapterRegistry:
    """Backends, or factories of them, by the names that the flag gives them. `baseline` names the one we trust.

    The candidate is made by the first call that is decided for it: never while its share is 0.
    Raises ConfigurationError.
    """

    def __init__(self, adapters: Mapping[str, Backend[Any] | Callable[[], Any]], *, baseline: str) -> None:
        if baseline not in adapters:
            raise ConfigurationError(f"the baseline {baseline!r} is none of the adapters: {', '.join(adapters)}")
        self._backends = {name: made if isinstance(made, Backend) else Backend(made) for name, made in adapters.items()}
        self._baseline = baseline

    def __getitem__(self, name: str) -> Backend[Any]:
        return self._backends[name]

    def get_adapter(self, decision: Decision) -> Any:  # noqa: ANN401 - whatever the factory makes
        """The object for this decision. Raises InitializationFailed."""
        return self._backend(decision).get()

    async def aget_adapter(self, decision: Decision) -> Any:  # noqa: ANN401 - as above
        """The same for coroutines."""
        return await self._backend(decision).aget()

    def close(self) -> None:
        """End whatever was made, the last one named first. What closing raises is logged."""
        for backend in reversed(self._backends.values()):
            backend.close()

    async def aclose(self) -> None:
        """The same for coroutines."""
        for backend in reversed(self._backends.values()):
            await backend.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _backend(self, decision: Decision) -> Backend[Any]:
        backend = self._backends.get(decision.backend)
        if backend is not None and (decision.candidate or decision.backend == self._baseline):
            return backend
        if not decision.candidate:  # before a snapshot, or under another name: the baseline is the baseline
            return self._backends[self._baseline]
        raise InitializationFailed(f"no adapter is registered for the backend {decision.backend!r}")
