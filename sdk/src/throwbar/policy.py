"""What did the author of an operation declare about its calls?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from throwbar.circuit import BreakerSettings
from throwbar.circuit import check as check_breaker
from throwbar.delivery import Permissions, WriteReceipt
from throwbar.errors import ConfigurationError
from throwbar.evidence import Classifier
from throwbar.kinds import Kind
from throwbar.modes import possible_modes
from throwbar.retry import RetrySettings
from throwbar.retry import check as check_retry

if TYPE_CHECKING:  # few services call both sides, or pin sessions: the others should not pay for importing that
    from throwbar.comparison import Compare
    from throwbar.copies import CopyOf
    from throwbar.divergence import Reconcile
    from throwbar.pins import Pins
    from throwbar.second import Manner

OnUnknown = Callable[[WriteReceipt], object]
KeyOfWrite = Callable[..., object]


class Policy(NamedTuple):
    """How one call may be carried out. Everything but `kind` and `deadline` (seconds) can be left alone.

    `retry` None: a failed attempt is the last. `breaker` None: count, but never keep a call from the candidate.
    `expected` exceptions are answers. `classify` is asked first what an exception means. `on_unknown` hears of each
    write whose outcome nobody knows. `idempotency_key` is a function of the call's arguments, asked for receipts. The
    rest is about the other side: `compare` and `snapshot` for shadow calls,
    `dual_write` and `reconcile` for second writes.
    """

    kind: Kind = Kind.WRITE
    deadline: float | None = None
    retry: RetrySettings | None = RetrySettings()
    breaker: BreakerSettings | None = BreakerSettings()
    fallback: bool = True
    expected: tuple[type[BaseException], ...] = ()
    classify: Classifier | None = None
    on_unknown: OnUnknown | None = None
    permissions: Permissions = Permissions()
    idempotency_key: KeyOfWrite | None = None
    pins: Pins | None = None
    compare: Compare | None = None
    snapshot: CopyOf | None = None
    dual_write: bool = False
    reconcile: Reconcile | None = None

    @property
    def manner(self) -> Manner:
        """As far as it concerns calls of the other side."""
        from throwbar.comparison import DEFAULT  # noqa: PLC0415 - as said above
        from throwbar.second import Manner  # noqa: PLC0415

        breaker = self.breaker or BreakerSettings()
        compare = self.compare or DEFAULT
        return Manner(self.deadline, compare, self.snapshot, self.classify, self.expected, breaker)

    @property
    def modes(self) -> frozenset[str]:
        """Those that may be obeyed. Raises ConfigurationError for promises that do not go with the kind."""
        compares = self.compare is not None
        return possible_modes(self.kind, compares=compares, dual_write=self.dual_write, reconcile=self.reconcile)


def checked(policy: Policy) -> Policy:
    """The same policy, or one that means the same. Raises ConfigurationError."""
    _check_deadline(policy.deadline)
    for name, settings, wanted in (
        ("retry", policy.retry, RetrySettings),
        ("breaker", policy.breaker, BreakerSettings),
    ):
        if settings is not None and not isinstance(settings, wanted):
            raise ConfigurationError(f"{name} is {settings!r}, neither settings nor None")
    for name in ("classify", "on_unknown", "idempotency_key"):
        function = getattr(policy, name)
        if function is not None and not callable(function):
            raise ConfigurationError(f"{name} is {function!r}, not a function")
    if policy.retry is not None:
        check_retry(policy.retry)
    if policy.breaker is not None:
        check_breaker(policy.breaker)
    policy = policy._replace(kind=_kind(policy.kind), expected=_expected(policy.expected))
    _ = policy.modes  # refuses what does not go together
    return policy


def _check_deadline(deadline: object) -> None:
    sound = isinstance(deadline, int | float) and not isinstance(deadline, bool) and 0 < deadline <= 86_400
    if deadline is not None and not sound:
        raise ConfigurationError(f"deadline is {deadline!r}, not a positive number of seconds up to a day")


def _kind(kind: object) -> Kind:
    try:
        return Kind(kind)  # type: ignore[arg-type]
    except ValueError:
        raise ConfigurationError(f"kind is {kind!r}, not one of {', '.join(Kind)}") from None


def _expected(expected: object) -> tuple[type[BaseException], ...]:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise ConfigurationError(f"expected names {kind!r}, not an exception class")
    return kinds
