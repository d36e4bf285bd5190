"""Stakes: how α, the probability of taking a harmless candidate back, is divided among all that may do so.

α belongs to one attempt of one flag. Each rule may err with a part of it, and the parts come to one, so that together
they err with α at most, whatever they have to do with one another (Boole). Within a rule operations share its part: the
comparison by averaging its evidence over them, the others by asking for so many times as much.
"""

import math

# What the others tell of is so plain that a small part of α delays them by little; the comparison needs all it can get.
COMPARISON = 0.95  # errors and latency against the baseline
LIMITS = 0.03  # absolute limits; all of it where nothing is compared
OUTAGE = 0.01  # most calls fail
BREAKERS = 0.01  # a breaker that opened by chance


def log_needed(alpha: float, part: float, among: int = 1) -> float:
    """ln of the evidence that one of `among` equals needs, to err together with `part` of α at most."""
    return math.log(among / (part * alpha))
