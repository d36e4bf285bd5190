"""Where do two values differ? A walk through both, of bounded depth and size, that knows what it may forgive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import isclose, isnan
from typing import NamedTuple

from throwbar.parts import MISSING, NOTHING_INSIDE, Parts, has_own_equality, parts_of
from throwbar.paths import ANY, Path, Places

DEEPEST = 50
STEPS = 10_000  # pairs of values looked at

_EXACT = (str, bytes, type(None))  # equal only to what is exactly the same, whatever the tolerance


class Difference(NamedTuple):
    """One place, and what each side has there; `MISSING` where it has nothing."""

    path: Path
    baseline: object
    candidate: object


class Forgiveness(NamedTuple):
    """What is no difference. Tolerances are those of `math.isclose`, for numbers of which one is a float."""

    ignore: Places
    unordered: Places
    float_rel: float
    float_abs: float

    def close(self, baseline: object, candidate: object) -> bool:
        for value in (baseline, candidate):
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
        if not isinstance(baseline, float) and not isinstance(candidate, float):
            return False
        try:
            if isnan(baseline) and isnan(candidate):  # type: ignore[arg-type] # seen above
                return True
            return isclose(baseline, candidate, rel_tol=self.float_rel, abs_tol=self.float_abs)  # type: ignore[arg-type]
        except OverflowError:  # an integer that no float can hold
            return False


class Walk:
    """One comparison. `incomplete`: its bounds were reached, so that finding nothing proves nothing."""

    def __init__(self, forgiveness: Forgiveness) -> None:
        self.incomplete = False
        self._forgiveness = forgiveness
        self._forgiven = 0
        self._steps_left = STEPS
        self._on_the_way: set[tuple[int, int]] = set()
        self._by_parts_only = False

    def differences(self, baseline: object, candidate: object, path: Path = ()) -> Iterator[Difference]:
        """Raises what the values' own equality raises."""
        if self._forgiveness.ignore.hold(path):
            self._forgiven += 1
        elif not self._steps_left or len(path) > DEEPEST:
            self.incomplete = True
        else:
            self._steps_left -= 1
            yield from self._look(baseline, candidate, path)

    def _look(self, baseline: object, candidate: object, path: Path) -> Iterator[Difference]:
        parts = (parts_of(baseline), parts_of(candidate))
        inside = parts[0].family == parts[1].family != NOTHING_INSIDE
        if self._equal(baseline, candidate, inside=inside):
            return
        if self._forgiveness.close(baseline, candidate) or (id(baseline), id(candidate)) in self._on_the_way:
            self._forgiven += 1
        elif inside:
            yield from self._look_inside(Difference(path, baseline, candidate), *parts)
        else:
            yield Difference(path, baseline, candidate)

    def _equal(self, baseline: object, candidate: object, *, inside: bool) -> bool:
        if inside and self._by_parts_only:
            return baseline is candidate
        try:
            return baseline is candidate or bool(baseline == candidate)
        except RecursionError:
            self._by_parts_only = True  # or each of its parts would exhaust the stack again
        except Exception:
            if not inside:
                raise
        return False

    def _look_inside(self, whole: Difference, baseline: Parts, candidate: Parts) -> Iterator[Difference]:
        on_the_way = (id(whole.baseline), id(whole.candidate))
        self._on_the_way.add(on_the_way)
        found, forgiven = False, self._forgiven
        try:
            for difference in self._differences_of_parts(whole.path, baseline, candidate):
                found = True
                yield difference
        finally:
            self._on_the_way.discard(on_the_way)
        if found or self.incomplete or self._forgiven > forgiven:
            return
        if has_own_equality(whole.baseline) and not self._by_parts_only:
            yield whole  # it says that it differs, and not in what we can see
        else:
            self._forgiven += 1  # equal by their parts, which those around them cannot know

    def _differences_of_parts(self, path: Path, baseline: Parts, candidate: Parts) -> Iterator[Difference]:
        if baseline.unordered or (baseline.positional and self._forgiveness.unordered.hold(path)):
            yield from self._differences_of_bags(path, list(baseline.named.values()), list(candidate.named.values()))
            return
        for name in {**baseline.named, **candidate.named}:
            ours, theirs = baseline.named.get(name, MISSING), candidate.named.get(name, MISSING)
            step = name if isinstance(name, int | str) and not isinstance(name, bool) else str(name)
            yield from self.differences(ours, theirs, (*path, step))

    def _differences_of_bags(self, path: Path, baseline: list[object], candidate: list[object]) -> Iterator[Difference]:
        place = (*path, ANY)
        self._forgiven += 1
        if self._forgiveness.ignore.hold(place):
            return
        baseline, candidate = _without_common(baseline, candidate)
        if len(baseline) * len(candidate) > self._steps_left:
            if len(baseline) == len(candidate):
                self.incomplete = True
            else:
                yield Difference(path, baseline, candidate)
            return
        lonely = _unmatched(
            len(baseline),
            len(candidate),
            lambda ours, theirs: not any(self.differences(baseline[ours], candidate[theirs], place)),
        )
        yield from (Difference(place, baseline[position], MISSING) for position in lonely[0])
        yield from (Difference(place, MISSING, candidate[position]) for position in lonely[1])


def _without_common(baseline: list[object], candidate: list[object]) -> tuple[list[object], list[object]]:
    """Take out of both what can only have one partner, so that long lists of words are quick."""
    ours, theirs = (Counter(value for value in side if type(value) in _EXACT) for side in (baseline, candidate))
    common = ours & theirs
    return _less(baseline, common.copy()), _less(candidate, common)


def _less(values: list[object], common: Counter[object]) -> list[object]:
    rest = []
    for value in values:
        if type(value) in _EXACT and common[value] > 0:
            common[value] -= 1
        else:
            rest.append(value)
    return rest


def _unmatched(ours: int, theirs: int, alike: Callable[[int, int], bool]) -> tuple[list[int], list[int]]:
    """Positions without a partner when as many as possible have one.

    Taking the first partner that fits would not do: with a tolerance, who is taken first would decide.
    """
    partners: dict[int, int] = {}
    known: dict[tuple[int, int], bool] = {}

    def fits(mine: int, yours: int) -> bool:
        if (mine, yours) not in known:
            known[mine, yours] = alike(mine, yours)
        return known[mine, yours]

    def place(mine: int, tried: set[int]) -> bool:
        for yours in range(theirs):
            if yours not in tried and fits(mine, yours):
                tried.add(yours)
                if yours not in partners or place(partners[yours], tried):
                    partners[yours] = mine
                    return True
        return False

    alone = [mine for mine in range(ours) if not place(mine, set())]
    return alone, [yours for yours in range(theirs) if yours not in partners]
