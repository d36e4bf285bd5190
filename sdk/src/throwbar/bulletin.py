"""What else does a report tell besides counts? Breakers, receipts of uncertain writes, and what others contribute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from throwbar.delivery import WriteReceipt
from throwbar.guard import Guard

RECEIPTS = 100
BREAKERS = 1_000


class Companion(Protocol):
    """What makes the second calls of an operation."""

    def divergences(self) -> int: ...

    def diverged(self) -> Mapping[str, int]: ...

    def renew(self) -> None: ...


class Pinning(Protocol):
    """What keeps sessions where they began."""

    store_errors: int


class InUse(Protocol):
    """An operation that calls are made of."""

    flag: str
    operation: str
    companions: list[Companion]

    @property
    def pins(self) -> Pinning | None: ...

    @property
    def guards(self) -> tuple[Guard, ...]: ...

    def renew(self) -> None: ...


Contribution = Callable[[], Mapping[str, Any]]


class Bulletin:
    """Written by any thread, taken by the reporting one. Bounded: the oldest receipts go first.

    A `contribution` returns fields of the report, without those that are empty, and forgets what it returned.
    """

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._receipts: deque[dict[str, Any]] = deque(maxlen=RECEIPTS)
        self.contributions: list[Contribution] = []

    def add_receipt(self, receipt: WriteReceipt, side: str) -> None:
        """A write whose outcome is unknown."""
        told = {
            "flag": receipt.flag,
            "operation": receipt.operation,
            "side": side,
            "at": receipt.at,
            "key": receipt.key_hash,
            "idempotency_key": receipt.idempotency_key,
        }
        self._receipts.append({name: value for name, value in told.items() if value is not None})

    def take(self, bindings: Iterable[InUse], overrides: Mapping[str, str]) -> dict[str, Any]:
        """The fields of the next report; what is empty is left out."""
        bindings = list(bindings)
        sections: dict[str, Any] = {
            "breakers": self._breakers(bindings),
            "receipts": [self._receipts.popleft() for _ in range(len(self._receipts))],
            "overrides": dict(overrides),
            "divergences": _divergences(bindings),
            "diverged": _diverged(bindings),
        }
        for contribution in self.contributions:
            sections |= contribution()
        return {name: section for name, section in sections.items() if section}

    def _breakers(self, bindings: Iterable[InUse]) -> list[dict[str, Any]]:
        now = self._wall_clock()
        told: list[dict[str, Any]] = []
        for binding in bindings:
            for guard in binding.guards:
                if guard.noteworthy and len(told) < BREAKERS:
                    guard.changed = False  # first: a change while we write is one for the next report
                    told.append({"flag": binding.flag, "operation": binding.operation} | guard.document(now))
        return told


def _divergences(bindings: Iterable[InUse]) -> dict[str, int]:
    told: dict[str, int] = {}
    for binding in bindings:
        count = sum(companion.divergences() for companion in binding.companions)
        if count:
            told[f"{binding.flag}/{binding.operation}"] = count
    return told


def _diverged(bindings: Iterable[InUse]) -> dict[str, dict[str, int]]:
    """By the side that misses them, and those that were reconciled."""
    told: dict[str, dict[str, int]] = {}
    for binding in bindings:
        for companion in binding.companions:
            for name, count in companion.diverged().items():
                sums = told.setdefault(f"{binding.flag}/{binding.operation}", {})
                sums[name] = sums.get(name, 0) + count
    return told
