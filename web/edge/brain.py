"""What the edge asks of the brain."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.clock import Clock
from controlplane.domain.access import Role, Token
from controlplane.domain.flag_set import FlagSet
from controlplane.usecases.metering import Batch
from controlplane.usecases.news import News
from controlplane.usecases.polls import Poll
from controlplane.usecases.stirring import Marks
from controlplane.usecases.telemetry import Incoming

Newest = Mapping[str, tuple[str, int]]  # environment → (source, snapshot version)


@dataclass(frozen=True, slots=True)
class Brain:
    """Use cases with their store already given. Each may wait for the database: none is called on the event loop."""

    news: Callable[[], News]
    snapshot: Callable[[str], Mapping[str, Any]]
    flag_set: Callable[[str], FlagSet]
    tokens: Callable[[], Collection[Token]]
    record: Callable[[Sequence[Incoming]], Newest]
    meter: Callable[[str, Sequence[Batch]], Mapping[str, int]]  # environment, batches → sentence: points refused
    keep_books: Callable[[Collection[int], Mapping[str, int]], None]
    note_polls: Callable[[Sequence[Poll]], None]
    clock: Clock
    marks: Callable[[str], Marks]  # of an environment; for pages
    role: Callable[[str, str], Role | None]  # of the person of a session, in an environment
    ticket_key: bytes = field(repr=False)  # signs addresses that are opened without a token
