"""Which random counts does a simulation need? Poisson and binomial draws, quick enough for millions of them."""

import math
from bisect import bisect_right
from functools import cache
from itertools import accumulate
from random import Random


def poisson(random: Random, mean: float) -> int:
    """By a table of the distribution function: each mean is drawn from thousands of times."""
    if mean <= 0:
        return 0
    first, below = _distribution(mean)
    return first + bisect_right(below, random.random())


@cache
def _distribution(mean: float) -> tuple[int, list[float]]:
    width = 9 * math.sqrt(mean) + 12
    first = max(0, int(mean - width))
    masses = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(first, int(mean + width))]
    return first, list(accumulate(masses))


def binomial(random: Random, trials: int, chance: float) -> int:
    """By the gaps between hits, so that rare hits among many trials cost little."""
    if chance > 0.5:
        return trials - binomial(random, trials, 1 - chance)
    if not trials or chance <= 0:
        return 0
    hits, position, scale = 0, 0, 1 / math.log1p(-chance)
    while True:
        position += int(math.log(1 - random.random()) * scale) + 1
        if position > trials:
            return hits
        hits += 1


def geometric(random: Random, mean: float) -> int:
    """1, 2, 3 … with the given mean."""
    if mean <= 1:
        return 1
    return int(math.log(1 - random.random()) / math.log1p(-1 / mean)) + 1
