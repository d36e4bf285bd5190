"""Do the two calls of a pair come to the same?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from throwbar.difference import Difference, Forgiveness, Walk
from throwbar.errors import ConfigurationError
from throwbar.paths import Places

PATHS = 10


class PairResult(StrEnum):
    """What came of a pair, in the words of a report."""

    MATCH = "match"
    MISMATCH = "mismatch"
    FAILED = "failed"  # one side raised and the other did not, or the second took too long
    COMPARE_ERRORS = "compare_errors"  # the values could not be compared
    DROPPED = "dropped"  # the second call was not made


class Outcome(NamedTuple):
    """What one call came to: a value, or the word for what it raised."""

    value: Any
    raised: str | None
    duration_ns: int


class Raised(NamedTuple):
    """Stands for the value of a call that raised."""

    what: str


class Comparison(NamedTuple):
    """A result, and for a mismatch where it was seen, at most ten places."""

    result: PairResult
    differences: tuple[Difference, ...] = ()


_MATCH = Comparison(PairResult.MATCH)
_FAILED = Comparison(PairResult.FAILED)
_ERROR = Comparison(PairResult.COMPARE_ERRORS)


class Compare:
    """When the answers of two backends mean the same. Equal ones always do.

    `ignore` names places that may differ, `unordered` lists whose order means nothing. Of two numbers one of which
    is a float, a relative difference of `float_rel` or an absolute one of `float_abs` is none. `custom(baseline,
    candidate)` decides instead of all this. Values leave the process only from the places in `show`; of all others
    a report carries the type, the size and a hash under a key that this process alone knows.

    Places are written like `$.meta.ts`, `$.items[*].id`, `$..updated_at`. Raises ConfigurationError.
    """

    __slots__ = ("_custom", "_forgiveness", "show")

    def __init__(
        self,
        ignore: Sequence[str] = (),
        *,
        float_rel: float = 1e-9,
        float_abs: float = 0.0,
        unordered: Sequence[str] = (),
        custom: Callable[[Any, Any], bool] | None = None,
        show: Sequence[str] = (),
    ) -> None:
        tolerances: dict[str, object] = {"float_rel": float_rel, "float_abs": float_abs}
        for name, tolerance in tolerances.items():
            if not isinstance(tolerance, int | float) or not 0 <= tolerance < float("inf"):
                raise ConfigurationError(f"compare: {name} is {tolerance!r}, not a number from 0 on")
        if custom is not None and not callable(custom):
            raise ConfigurationError(f"compare: custom is {custom!r}, not a function of two values")
        self._forgiveness = Forgiveness(Places(ignore), Places(unordered), float_rel, float_abs)
        self._custom = custom
        self.show = Places(show)

    def outcomes(self, baseline: Outcome, candidate: Outcome) -> Comparison:
        """Never raises an Exception, whatever the values do when they are looked at."""
        if baseline.raised is None and candidate.raised is None:
            try:
                return self._values(baseline.value, candidate.value)
            except Exception:  # noqa: BLE001 - other people's objects and functions, in a thread of ours
                return _ERROR
        if baseline.raised is None or candidate.raised is None:
            return _FAILED
        if baseline.raised == candidate.raised:
            return _MATCH
        difference = Difference((), Raised(baseline.raised), Raised(candidate.raised))
        return Comparison(PairResult.MISMATCH, (difference,))

    def _values(self, baseline: object, candidate: object) -> Comparison:
        if self._custom is not None:
            if self._custom(baseline, candidate):
                return _MATCH
            found = self._find(baseline, candidate).differences
            return Comparison(PairResult.MISMATCH, found or (Difference((), baseline, candidate),))
        return self._find(baseline, candidate)

    def _find(self, baseline: object, candidate: object) -> Comparison:
        walk = Walk(self._forgiveness)
        found = tuple(islice(walk.differences(baseline, candidate), PATHS))
        if found:
            return Comparison(PairResult.MISMATCH, found)
        return _ERROR if walk.incomplete else _MATCH


DEFAULT = Compare()
