"""How much longer did the candidate take than the baseline, in the same pair? Pure."""

from __future__ import annotations

from math import ceil, log2

SLOWEST = 80  # ten octaves: a thousand times


def ratio_index(candidate_ns: int, baseline_ns: int) -> int:
    """Bucket of a ratio of durations: index i holds (2^(i/8), 2^((i+1)/8)], clipped to −80…80."""
    eighths = 8 * log2(max(candidate_ns, 1) / max(baseline_ns, 1))
    return max(-SLOWEST, min(ceil(eighths) - 1, SLOWEST))
