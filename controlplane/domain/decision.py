"""Decision: which backend a call goes to, and why. Pure; the order is that of docs/protocol.md.

Local overrides, pins and breakers live in the services: this is what one decides that has none of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.domain.bucketing import bucket
from controlplane.domain.flag import Flag, Operator, Rule, Side, final_side
from controlplane.domain.share import FULL, to_percent


class Reason(StrEnum):
    """Why a decision fell as it did, in the order in which the reasons are looked at."""

    FLAG_MISSING = "flag_missing"
    DISABLED = "disabled"
    ROLLED_BACK = "rolled_back"
    OPERATION_NOT_LISTED = "operation_not_listed"
    RULE = "rule"
    SHARE = "share"
    NO_KEY = "no_key"


@dataclass(frozen=True, slots=True)
class Decision:
    """A side, the reason for it, and the same in one sentence. `rule` counts from 1; `bucket` where a key was drawn."""

    side: Side
    reason: Reason
    sentence: str
    rule: int | None = None
    bucket: int | None = None


_TESTS: Mapping[Operator, Callable[[str, tuple[str, ...]], bool]] = {
    Operator.IN: lambda value, wanted: value in wanted,
    Operator.NOT_IN: lambda value, wanted: value not in wanted,
    Operator.STARTS_WITH: lambda value, wanted: value.startswith(wanted),
    Operator.ENDS_WITH: lambda value, wanted: value.endswith(wanted),
    Operator.CONTAINS: lambda value, wanted: any(part in value for part in wanted),
}


def decide(flag: Flag, operation: str, key: str | None, attributes: Mapping[str, Any]) -> Decision:
    """What every service answers for one call."""
    settled = _without_looking(flag, operation)
    if settled:
        return settled
    for number, rule in enumerate(flag.rules, start=1):
        value = key if rule.attribute == "key" else attributes.get(rule.attribute)
        if value is not None and _TESTS[rule.operator](str(value), rule.values):
            return Decision(rule.serve, Reason.RULE, _rule_words(number, rule, str(value)), rule=number)
    return _by_share(flag, operation, key)


def _without_looking(flag: Flag, operation: str) -> Decision | None:
    """What is settled before the call is looked at; an archived flag answers with its final side."""
    listed = flag.operation(operation)
    if flag.retired_at:
        return Decision(Side.BASELINE, Reason.FLAG_MISSING, "The flag is retired, so no service is told about it.")
    if listed is None and (flag.archived_at or (flag.enabled and not flag.rolled_back)):
        words = f"The flag does not list '{operation}', and what is not listed stays on the baseline."
        return Decision(Side.BASELINE, Reason.OPERATION_NOT_LISTED, words)
    if flag.archived_at:
        return Decision(final_side(flag, operation), Reason.SHARE, "The flag is archived with this side for every key.")
    if not flag.enabled:
        return Decision(Side.BASELINE, Reason.DISABLED, "The flag is disabled.")
    if flag.rolled_back or (listed and listed.rolled_back):
        what = "The flag" if flag.rolled_back else f"The operation {operation}"
        words = f"{what} is rolled back, which beats its rules and its percent."
        return Decision(Side.BASELINE, Reason.ROLLED_BACK, words)
    return None


def _by_share(flag: Flag, operation: str, key: str | None) -> Decision:
    share = flag.operations[operation].share
    if share in {0, FULL}:
        side = Side.CANDIDATE if share else Side.BASELINE
        return Decision(side, Reason.SHARE, f"{operation} is at {to_percent(share)} %, for every key.")
    if key is None:
        words = "Without a key nobody can be assigned by a percent, so the call stays on the baseline."
        return Decision(Side.BASELINE, Reason.NO_KEY, words)
    drawn = bucket(flag.key, key)
    inside = drawn < share
    words = (
        f"The key stands at {to_percent(drawn)} % of the way, "
        f"{'below' if inside else 'not below'} the {to_percent(share)} % that go to the candidate."
    )
    return Decision(Side.CANDIDATE if inside else Side.BASELINE, Reason.SHARE, words, bucket=drawn)


def _rule_words(number: int, rule: Rule, value: str) -> str:
    told = f"{rule.operator.value.replace('_', ' ')} {', '.join(rule.values)}"
    return f"Rule {number} matches: {rule.attribute} is {value}, and the rule says {rule.attribute} {told}."
