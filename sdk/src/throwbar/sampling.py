"""Which calls are made a second time? The same keys in every process, and not those of one side. Pure."""

from __future__ import annotations

from mmh3 import mmh3_32_uintdigest

from throwbar.decision import BUCKETS, threshold


def sampled(flag: str, key: str | None, share: int) -> bool:
    """Whether this key is among `share` of 100 000. A call without a key is, only when all are."""
    if key is None or share >= BUCKETS:
        return share >= BUCKETS
    # Other bytes than the cohort's, or the first percent to be compared would be the first to be moved.
    preimage = f"shadow/{len(flag)}/{flag}/{key}".encode("utf-8", "surrogatepass")
    return mmh3_32_uintdigest(preimage) < threshold(share)
