"""Which backend does a call go to, and why? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from mmh3 import mmh3_32_uintdigest

if TYPE_CHECKING:
    from throwbar.plan import OperationPlan

_REMEMBERED_SIZES = 256  # longer keys are rare, and anybody may send them
BUCKETS = 100_000  # 0.001 % each. Never change: it would re-route every key.


SINGLE = "single"  # the mode of an operation that calls one side


class Reason(StrEnum):
    """Why a decision fell as it did, in the order in which the reasons are looked at."""

    NOT_READY = "not_ready"
    FLAG_MISSING = "flag_missing"
    SDK_ERROR = "sdk_error"
    OVERRIDE = "override"
    DISABLED = "disabled"
    ROLLED_BACK = "rolled_back"
    OPERATION_NOT_LISTED = "operation_not_listed"
    RULE = "rule"
    SHARE = "share"
    NO_KEY = "no_key"
    PIN = "pin"
    CIRCUIT_OPEN = "circuit_open"
    HALF_OPEN_PROBE = "half_open_probe"


class Decision(NamedTuple):
    """A backend and the reason for it. `version` is that of the snapshot it was read from, 0 before the first."""

    backend: str
    candidate: bool
    reason: Reason
    version: int
    flag: str
    operation: str


class Choice:
    """One of the few answers a plan can give, made when the plan is compiled so that a call allocates nothing.

    It outlives snapshots that leave its plan alone, hence carries no version; `decision` stamps one on.
    """

    __slots__ = ("_decision", "assigned_by", "candidate", "paired", "plan", "reason", "side")

    def __init__(self, plan: OperationPlan, reason: Reason, assigned_by: str, *, candidate: bool) -> None:
        self.plan = plan
        self.reason = reason
        self.assigned_by = assigned_by
        self.candidate = candidate
        self.side = "candidate" if candidate else "baseline"
        self.paired = plan.mode != SINGLE  # the other side may be called, too
        self._decision: Decision | None = None

    @property
    def backend(self) -> str:
        return self.plan.candidate if self.candidate else self.plan.baseline

    def decision(self, version: int) -> Decision:
        """The public face of this choice under snapshot `version`; the same object until the version changes."""
        known = self._decision
        if known is None or known[3] != version:
            plan = self.plan
            known = Decision(self.backend, self.candidate, self.reason, version, plan.flag, plan.operation)
            self._decision = known
        return known


def decide(plan: OperationPlan, key: str | None, attributes: Mapping[str, Any] | None = None) -> Choice:
    """Answer for one call. What needs no look at the call was settled when the plan was compiled."""
    settled = plan.settled
    if settled is not None:
        return settled
    if plan.rules:
        ruled = _by_rules(plan, key, attributes)
        if ruled is not None:
            return ruled
    if key is None:
        return plan.by_no_key
    try:
        raw = key.encode()
    except UnicodeEncodeError:  # a lone surrogate is no text, but must not cost a key its side
        raw = key.encode("utf-8", "surrogatepass")
    try:
        head = plan.heads[len(raw)]
    except KeyError:
        head = _head(plan, len(raw))
    if mmh3_32_uintdigest(head + raw) < plan.threshold:
        return plan.by_share_candidate
    return plan.by_share_baseline


def _by_rules(plan: OperationPlan, key: str | None, attributes: Mapping[str, Any] | None) -> Choice | None:
    for rule in plan.rules:
        if rule.matches(key, attributes):
            return plan.by_rule_candidate if rule.candidate else plan.by_rule_baseline
    return plan.by_limit


def _head(plan: OperationPlan, size: int) -> bytes:
    """What is hashed before a key of this size. Most keys of a service have one size, so the plan remembers it."""
    head = plan.preimage + _text_head(size)
    if size < _REMEMBERED_SIZES:
        plan.heads[size] = head
    return head


def bucket(flag_key: str, key: str) -> int:
    """Bucket 0…99 999 of a key under a flag (flagd `fractional`, version 3)."""
    return (hash_of(flag_key, key) * BUCKETS) >> 32


def threshold(share: int) -> int:
    """The smallest hash outside `share` buckets: `hash < threshold(share)` says the same as `bucket < share`."""
    return -((-share << 32) // BUCKETS)


def hash_of(flag_key: str, key: str) -> int:
    """murmur3_x86_32 with seed 0 over the CBOR of `[flag key, key]`, unsigned. `decide` spells it out for speed."""
    return mmh3_32_uintdigest(preimage(flag_key) + _text(key))


def preimage(flag_key: str) -> bytes:
    """The part of the hashed bytes that all keys of a flag share: array of two, first text."""
    return b"\x82" + _text(flag_key)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return _text_head(len(raw)) + raw


def _text_head(size: int) -> bytes:
    """CBOR major type 3 with the shortest length, as the deterministic encoding demands."""
    if size < 24:
        return bytes((0x60 | size,))
    for marker, width in ((0x78, 1), (0x79, 2), (0x7A, 4)):
        if size < 1 << 8 * width:
            return bytes((marker,)) + size.to_bytes(width, "big")
    return b"\x7b" + size.to_bytes(8, "big")
