"""What is there to decide for one operation? A flag of the snapshot, compiled for `decide`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from throwbar.decision import BUCKETS, SINGLE, Choice, Reason, preimage, threshold
from throwbar.rules import Rule
from throwbar.terms import ALL_ON, Switches, switches_of

Overrides = Mapping[str, str]
NO_OVERRIDES: Overrides = {}
NOTHING_WRITTEN: Mapping[str, Any] = {}


class OperationPlan:
    """Everything that is known about an operation before a call comes, with every possible answer ready.

    `settled` answers every call alike; else the `rules` are asked, then `by_limit` (share 0 or all), then the key.
    """

    __slots__ = (
        "attempt",
        "baseline",
        "breaker",
        "by_breaker",
        "by_fallback",
        "by_limit",
        "by_no_key",
        "by_pin_baseline",
        "by_pin_candidate",
        "by_probe",
        "by_rule_baseline",
        "by_rule_candidate",
        "by_shadow_baseline",
        "by_shadow_candidate",
        "by_share_baseline",
        "by_share_candidate",
        "candidate",
        "flag",
        "heads",
        "latency_tolerance",
        "mode",
        "operation",
        "preimage",
        "retry",
        "rules",
        "settled",
        "shadow_share",
        "share",
        "stand_in",
        "switches",
        "threshold",
    )

    def __init__(  # noqa: PLR0913 - a plan is made in two places, and all but two are named
        self,
        flag: str,
        operation: str,
        *,
        baseline: str,
        candidate: str = "",
        attempt: int = 0,
        share: int = 0,
        latency_tolerance: int = 0,
        mode: str = SINGLE,
        shadow_share: int = 0,
        breaker: Mapping[str, Any] = NOTHING_WRITTEN,
        retry: Mapping[str, Any] = NOTHING_WRITTEN,
        switches: Switches = ALL_ON,
        rules: tuple[Rule, ...] = (),
        settled: tuple[Reason, str, bool] | None = None,
    ) -> None:
        self.flag = flag
        self.operation = operation
        self.baseline = baseline
        self.candidate = candidate
        self.attempt = attempt
        self.share = share
        self.latency_tolerance = latency_tolerance
        self.mode = mode
        self.shadow_share = shadow_share
        self.breaker = breaker
        self.retry = retry
        self.switches = switches
        self.rules = rules
        self.stand_in: Callable[..., Any] | None = None  # called in the candidate's place, in tests
        self.preimage = preimage(flag)
        self.heads: dict[int, bytes] = {}  # by size of the key, filled by `decide`
        self.threshold = threshold(share)
        self.settled = None if settled is None else Choice(self, settled[0], settled[1], candidate=settled[2])
        self.by_rule_baseline = Choice(self, Reason.RULE, "rule", candidate=False)
        self.by_rule_candidate = Choice(self, Reason.RULE, "rule", candidate=True)
        self.by_no_key = Choice(self, Reason.NO_KEY, "no_key", candidate=False)
        self.by_share_baseline = Choice(self, Reason.SHARE, "share", candidate=False)
        self.by_share_candidate = Choice(self, Reason.SHARE, "share", candidate=True)
        self.by_pin_baseline = Choice(self, Reason.PIN, "pin", candidate=False)
        self.by_pin_candidate = Choice(self, Reason.PIN, "pin", candidate=True)
        self.by_breaker = Choice(self, Reason.CIRCUIT_OPEN, "breaker", candidate=False)
        self.by_probe = Choice(self, Reason.HALF_OPEN_PROBE, "probe", candidate=True)
        self.by_shadow_baseline = Choice(self, Reason.SHARE, "shadow", candidate=False)
        self.by_shadow_candidate = Choice(self, Reason.SHARE, "shadow", candidate=True)
        self.by_fallback = Choice(self, Reason.SHARE, "fallback", candidate=False)
        self.by_limit = {0: self.by_share_baseline, BUCKETS: self.by_share_candidate}.get(share)
        if settled is None and not rules:
            self.settled = self.by_limit


class FlagPlan:
    """One flag. One that is written alike in the next snapshot keeps this plan.

    `text` is how it was written, "" where nobody knows. With it what it says is read again when it is asked for: a
    service uses few of all flags, and a text takes a third of the memory.
    """

    __slots__ = ("_overrides", "_plans", "_raw", "key", "readable", "text")

    def __init__(
        self, key: str, raw: Mapping[str, Any], overrides: Overrides, *, readable: bool = True, text: str = ""
    ) -> None:
        self.key = key
        self.text = text
        self._raw = None if text else raw
        self.readable = readable
        self._overrides = overrides
        self._plans: dict[str, OperationPlan] = {}

    @property
    def raw(self) -> Mapping[str, Any]:
        """What the control plane says of this flag."""
        raw = self._raw
        if raw is None:
            raw = self._raw = json.loads(self.text)
        return raw

    @property
    def archived(self) -> bool:
        """Whether it only answers for a while yet, with its final backend."""
        return self.raw.get("archived", False) is True

    def under(self, overrides: Overrides, *, readable: bool) -> FlagPlan:
        """This one, if it was made under the same circumstances, else another."""
        if self.readable == readable and self._overrides == overrides:
            return self
        return FlagPlan(self.key, self.raw, overrides, readable=readable, text=self.text)

    def plan(self, operation: str) -> OperationPlan:
        """The plan of an operation, listed or not. Made when first asked for: a service uses few of all flags."""
        plan = self._plans.get(operation)
        if plan is None:
            listed = self.raw["operations"].get(operation)
            plan = self._compile(operation, listed)
            if listed is not None:
                self._plans[operation] = plan
        return plan

    def _compile(self, operation: str, listed: Mapping[str, Any] | None) -> OperationPlan:
        raw, own = self.raw, listed or NOTHING_WRITTEN
        return OperationPlan(
            self.key,
            operation,
            baseline=raw["baseline"],
            candidate=raw["candidate"],
            attempt=raw.get("attempt", 0),
            share=own.get("share", 0),
            latency_tolerance=own.get("latency_tolerance", 0),
            mode=own.get("mode", SINGLE),
            shadow_share=own.get("shadow_share", 0),
            breaker=own.get("breaker", NOTHING_WRITTEN),
            retry=own.get("retry", NOTHING_WRITTEN),
            switches=switches_of(raw.get("switches")),
            rules=tuple(_rule(raw_rule) for raw_rule in raw.get("rules", ())),
            settled=self._settle(operation, listed),
        )

    def _settle(self, operation: str, listed: Mapping[str, Any] | None) -> tuple[Reason, str, bool] | None:
        """Steps 1 to 5 of the order of a decision: (reason, who assigned, candidate), or None to go on."""
        override = self._overrides.get(f"{self.key}/{operation}", self._overrides.get(self.key))
        if not self.readable:
            return Reason.NOT_READY, "default", False
        if override == "baseline":
            return Reason.OVERRIDE, "override", False
        if not self.raw["enabled"]:
            return Reason.DISABLED, "disabled", False
        if self.raw.get("rolled_back", False) or (listed and listed.get("rolled_back", False)):
            return Reason.ROLLED_BACK, "disabled", False
        if override == "candidate":
            return Reason.OVERRIDE, "override", True
        if listed is None:
            return Reason.OPERATION_NOT_LISTED, "default", False
        return None


def _rule(raw: Mapping[str, Any]) -> Rule:
    values = tuple(str(value) for value in raw["values"])
    return Rule(raw["attribute"], raw["operator"], values, candidate=raw["serve"] == "candidate")
