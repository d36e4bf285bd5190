"""What is a flag to services of other makes? One flag of a flagd definition: its variants, and targeting in JsonLogic.

The targeting of a feature comes before its rules and its share. Else the order is that of docs/protocol.md, as far as
it is not a matter of the process: overrides, pins and breakers are the SDK's own. Held against `decision` and flagd's
evaluator by property tests.
Source: flagd.dev/schema/v0/flags.json and targeting.json, of 2026.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controlplane.domain.bucketing import bucket
from controlplane.domain.flag import Flag, Operator, Rule, Side, final_side
from controlplane.domain.share import FULL

Logic = dict[str, Any]  # one JsonLogic rule: an operator and its arguments

_KEY = {"var": "targetingKey"}


def flagd_flag(flag: Flag) -> dict[str, Any]:
    """As JSON holds it. Never `state: DISABLED`, which hands the choice to the default of each caller's code."""
    document: dict[str, Any] = {
        "state": "ENABLED",
        "variants": dict(flag.feature.variants)
        if flag.feature
        else {side: side for side in (flag.baseline, flag.candidate)},
        "defaultVariant": flag.baseline,
        "metadata": _metadata(flag),
    }
    targeting = _targeting(flag)
    return document | ({"targeting": targeting} if targeting else {})


def _metadata(flag: Flag) -> dict[str, str | bool]:
    """What the flag as a whole is, for logs and traces: flagd knows no such reasons."""
    told: dict[str, str | bool] = {"kind": flag.kind.value}
    if flag.archived_at:
        return {**told, "archived": True}
    if not flag.enabled:
        return {**told, "reason": "disabled"}
    return {**told, "reason": "rolled_back"} if flag.rolled_back else told


def _targeting(flag: Flag) -> Logic | None:
    """What does not come to a variant gets the default one, the baseline: an operation that is not listed, too."""
    own = _own_targeting(flag)
    if not flag.candidate:
        return own
    shares, rules = _in_force(flag)
    branches: list[object] = [{"!==": [own, None]}, own] if own else []
    branches += [part for rule in rules for part in (_condition(rule), _served(flag, rule.serve))]
    if not shares or not (branches or any(shares.values())):
        return None
    inner = [*branches, *_by_share(flag, shares, after_rules=bool(branches))]
    if not branches:
        return {"if": inner}
    return {"if": [_is_one_of(flag, list(shares)), {"if": inner}]}


def _own_targeting(flag: Flag) -> Logic | None:
    """What a feature says of itself. Archived it goes on, unless the feature was moved, and has come to an end."""
    logic = flag.feature.targeting if flag.feature else None
    if logic is None or not flag.enabled or flag.rolled_back or (flag.archived_at and flag.candidate):
        return None
    return dict(logic)


def _in_force(flag: Flag) -> tuple[Mapping[str, int], Sequence[Rule]]:
    """Share by operation, and the rules; what is rolled back is not among them."""
    if flag.archived_at:
        return {name: FULL if final_side(flag, name) is Side.CANDIDATE else 0 for name in flag.operations}, ()
    if not flag.enabled or flag.rolled_back:
        return {}, ()
    return {name: each.share for name, each in flag.operations.items() if not each.rolled_back}, flag.rules


def _by_share(flag: Flag, shares: Mapping[str, int], *, after_rules: bool) -> Iterator[object]:
    """Operations of one share are asked for together; where it is one for all, the rules have asked already."""
    for share in dict.fromkeys(each for each in shares.values() if each):
        names = [name for name, each in shares.items() if each == share]
        if not after_rules or len(names) < len(shares):
            yield _is_one_of(flag, names)
        yield _drawn(flag, share)


def _is_one_of(flag: Flag, names: list[str]) -> Logic:
    """Whether the attribute `operation` names one of them; where a flag has one only, it need not be named."""
    named = ["operation", *flag.operations] if len(flag.operations) == 1 else "operation"
    return {"in": [{"var": named}, names]}


def _drawn(flag: Flag, share: int) -> Logic | str:
    """Always the short form, the candidate first: written out with `cat`, or in another order, it moves keys.

    flagd draws nothing for an empty key, we do; so where it is inside the share, that is said.
    """
    if share >= FULL:
        return flag.candidate
    drawn = {"fractional": [[flag.candidate, share], [flag.baseline, FULL - share]]}
    if bucket(flag.key, "") < share:
        return {"if": [{"===": [_KEY, ""]}, flag.candidate, drawn]}
    return drawn


def _served(flag: Flag, side: Side) -> str:
    return flag.candidate if side is Side.CANDIDATE else flag.baseline


def _condition(rule: Rule) -> Logic:
    """An attribute that is absent matches nothing; any other is compared by its text."""
    attribute = _KEY if rule.attribute == "key" else {"var": rule.attribute}
    return {"and": [{"!==": [attribute, None]}, _comparison(rule, {"cat": [attribute]})]}


def _comparison(rule: Rule, text: Logic) -> Logic:
    """The empty text is a part of every text, but in JavaScript nothing is in an empty one."""
    match rule.operator:
        case Operator.IN:
            return {"in": [text, list(rule.values)]}
        case Operator.NOT_IN:
            return {"!": [{"in": [text, list(rule.values)]}]}
        case Operator.CONTAINS:
            return _any({"in": [part, text]} if part else {"starts_with": [text, part]} for part in rule.values)
        case Operator.STARTS_WITH | Operator.ENDS_WITH:
            return _any({rule.operator.value: [text, part]} for part in rule.values)


def _any(tests: Iterator[Logic]) -> Logic:
    found = list(tests)
    return found[0] if len(found) == 1 else {"or": found}
