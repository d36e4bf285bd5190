"""Which bucket a key falls into: flagd's `fractional` v3.

h = murmur3_x86_32(CBOR([flag key, key]), seed 0), unsigned; bucket = (h * weights) >> 32.
CBOR is the core deterministic encoding of RFC 8949 section 4.2.1.
Source: OpenFeature flagd, custom operation `fractional`, specification of 2026.
Never change: it would re-route every key of every flag.
"""

import mmh3

from controlplane.domain.share import FULL


def bucket(flag_key: str, key: str, weights: int = FULL) -> int:
    """The bucket 0…weights-1 of a key under a flag."""
    return (hash32(flag_key, key) * weights) >> 32


def hash32(flag_key: str, key: str) -> int:
    """The unsigned 32-bit hash that every evaluator agrees on."""
    return mmh3.hash(b"\x82" + _cbor_text(flag_key) + _cbor_text(key), 0, signed=False)


def _cbor_text(text: str) -> bytes:
    raw = text.encode()
    return _cbor_text_head(len(raw)) + raw


def _cbor_text_head(length: int) -> bytes:
    if length < 24:
        return bytes([0x60 | length])
    for marker, size in ((0x78, 1), (0x79, 2), (0x7A, 4)):
        if length < 1 << (8 * size):
            return bytes([marker]) + length.to_bytes(size, "big")
    return b"\x7b" + length.to_bytes(8, "big")
