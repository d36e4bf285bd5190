"""OpenFeature's own API around our provider, and what it hears."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent

PATIENCE_SECONDS = 60.0


def a_context(key: str | None = "s1", **attributes: Any) -> EvaluationContext:
    return EvaluationContext(key, attributes)


@contextmanager
def nothing_left_of_it() -> Iterator[None]:
    """OpenFeature is one for the whole process: whatever is registered in the block is gone after it."""
    try:
        yield
    finally:
        api.shutdown()


class Heard:
    """Events of our provider, in the order in which they were handled: in threads of OpenFeature's own."""

    def __init__(self) -> None:
        self._queue: Queue[tuple[ProviderEvent, EventDetails]] = Queue()
        for event in ProviderEvent:
            api.add_handler(event, lambda details, event=event: self._hear(event, details))

    def _hear(self, event: ProviderEvent, details: EventDetails) -> None:
        if details.provider_name == "throwbar":
            self._queue.put((event, details))

    def next(self) -> tuple[ProviderEvent, EventDetails]:
        return self._queue.get(timeout=PATIENCE_SECONDS)

    def nothing_more(self) -> bool:
        try:
            self._queue.get_nowait()
        except Empty:
            return True
        return False
