"""When is an error worse than its category says, and what is done about it then? Delivery is never touched."""

from __future__ import annotations

from throwbar.taxonomy import BY_CATEGORY, Category, ErrorInfo, Severity, Strategy

_UPGRADED = {Severity.MINOR: Severity.MAJOR, Severity.MAJOR: Severity.CRITICAL}
_OF_SEVERITY = {
    (Category.CONNECTION, Severity.CRITICAL): Strategy.CIRCUIT_BREAK,
    (Category.RESOURCE, Severity.MAJOR): Strategy.FAILOVER,
    (Category.RESOURCE, Severity.MINOR): Strategy.ABANDON,
    (Category.RESOURCE, Severity.WARNING): Strategy.ABANDON,
}


def strategy_for(category: Category, severity: Severity) -> Strategy:
    """Most categories have one strategy at every severity; connection and resource have not."""
    return _OF_SEVERITY.get((category, severity)) or BY_CATEGORY[category].strategy


def adjusted(
    info: ErrorInfo,
    *,
    severity: Severity | None = None,
    attempt: int = 1,
    all_workers: bool = False,
    user_facing: bool = False,
) -> ErrorInfo:
    """The same error in its circumstances: a severity said by the caller wins, then the first circumstance that holds.

    `attempt` counts from 1. What is still critical at the third attempt is abandoned. Cancellations stay as they are.
    """
    if info.category is Category.CANCELLED:
        return info
    severity = severity or _circumstantial(info.severity, attempt, all_workers=all_workers, user_facing=user_facing)
    if severity is Severity.CRITICAL and attempt > 2:
        return info._replace(severity=severity, strategy=Strategy.ABANDON, retryable=False)
    return info._replace(severity=severity, strategy=strategy_for(info.category, severity))


def _circumstantial(base: Severity, attempt: int, *, all_workers: bool, user_facing: bool) -> Severity:
    if attempt > 3:
        return _UPGRADED.get(base, base)
    if all_workers:
        return Severity.CRITICAL
    if user_facing and base is Severity.MINOR:
        return Severity.MAJOR
    return base
