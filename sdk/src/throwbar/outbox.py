"""Which report is sent next, and what becomes of those that cannot be sent?"""

import json
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from throwbar.report import CELLS_PER_REPORT, NO_SECTIONS, STANDING, Sender, report_document

REPORTS = 120
BYTES = 4 << 20


class Letter(NamedTuple):
    """A report as it goes over the wire, every time the same."""

    sequence: int
    body: bytes
    cells: int


class Outbox:
    """Reports in order, oldest first. Bounded: the oldest is dropped and counted. For one thread."""

    def __init__(self) -> None:
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.dropped_ever = 0
        self._sequence = 0
        self._letters: deque[Letter] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def first(self) -> Letter | None:
        """The report to send now: again the same one until it is settled."""
        return self._letters[0] if self._letters else None

    def put(
        self,
        sender: Sender,
        sent_at: float,
        cells: Sequence[Mapping[str, Any]],
        sections: Mapping[str, Any] = NO_SECTIONS,
    ) -> None:
        """Queue these cells, in as many reports as they need; without cells one that says "I am here".

        What happened is told once, with the first; what is so now goes with each, as each replaces the one before.
        """
        standing = {name: sections[name] for name in STANDING if name in sections}
        for offset in range(0, len(cells) or 1, CELLS_PER_REPORT):
            part = cells[offset : offset + CELLS_PER_REPORT]
            self._put(sender, sent_at, part, standing if offset else sections)

    def acknowledged(self) -> None:
        """The first report is durable at the server."""
        self._shift()
        self.sent += 1

    def refused(self) -> None:
        """The server will never take the first report."""
        self._drop("refused_cells")

    def count_dropped(self, cause: str, count: int) -> None:
        """Something was lost before it reached a report."""
        if count:
            self.dropped[cause] += count

    def _put(
        self, sender: Sender, sent_at: float, cells: Sequence[Mapping[str, Any]], sections: Mapping[str, Any]
    ) -> None:
        self._sequence += 1
        document = report_document(sender, self._sequence, sent_at, cells, self.dropped, sections)
        self.dropped.clear()
        letter = Letter(self._sequence, json.dumps(document, separators=(",", ":")).encode(), len(cells))
        self._letters.append(letter)
        self._bytes += len(letter.body)
        while len(self._letters) > 1 and (len(self._letters) > REPORTS or self._bytes > BYTES):
            self._drop("queued_cells")

    def _drop(self, cause: str) -> None:
        letter = self._shift()
        self.dropped_ever += 1
        self.dropped["reports"] += 1
        self.count_dropped(cause, letter.cells)

    def _shift(self) -> Letter:
        letter = self._letters.popleft()
        self._bytes -= len(letter.body)
        return letter
