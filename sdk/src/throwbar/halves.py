"""Which half does a key belong to? The same in every process, and no matter on which side the share puts it. Pure.

The control plane splits the baseline's keys in two, between which nothing differs, and looks how far apart they are:
that tells how many times the same key is counted, as by each process it calls at.
"""

from __future__ import annotations

from mmh3 import mmh3_32_uintdigest


def in_first_half(flag: str, key: str) -> bool:
    """By other bytes than the cohort's: halves of the cohort would be sides."""
    preimage = f"half/{len(flag)}/{flag}/{key}".encode("utf-8", "surrogatepass")
    return mmh3_32_uintdigest(preimage) & 1 == 0
