"""What may follow a failed attempt, so that nothing is done twice? A table, and a token that remembers one call.

| candidate's attempt      | READ            | IDEMPOTENT_WRITE               | WRITE                          |
|--------------------------|-----------------|--------------------------------|--------------------------------|
| never started            | baseline        | baseline                       | baseline                       |
| not sent                 | retry, baseline | retry, baseline                | retry, baseline                |
| rejected for now         | retry, baseline | retry, baseline                | retry; baseline if so declared |
| rejected for good        | raise           | raise                          | raise                          |
| unknown                  | retry, baseline | retry; baseline if keys shared | OutcomeUnknown                 |
| applied, reply unreadable| baseline        | OutcomeUnknown                 | OutcomeUnknown                 |
| cancelled                | raise           | raise                          | raise                          |
"""

from enum import StrEnum
from typing import NamedTuple

from throwbar.errors import ThrowbarError
from throwbar.kinds import Kind
from throwbar.taxonomy import Category, Delivery, ErrorInfo


class Fate(StrEnum):
    """What became of an attempt: a row of the table."""

    NEVER_STARTED = "never_started"
    NOT_SENT = "not_sent"
    REJECTED = "rejected"
    REJECTED_FINALLY = "rejected_finally"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    CANCELLED = "cancelled"


class Course(NamedTuple):
    """What may be tried, in this order: again, the baseline; and what the caller gets if neither is, or helps.

    `unknown`: OutcomeUnknown; else the error of the attempt itself, untouched.
    """

    retry: bool = False
    fall_back: bool = False
    unknown: bool = False


class Permissions(NamedTuple):
    """What the author of an operation knows, and we cannot.

    `fall_back_on_reject`: a WRITE that the candidate refused may be done by the baseline. `shared_keys`: both
    backends look up idempotency keys in one place, so the same key works once in either.
    """

    fall_back_on_reject: bool = False
    shared_keys: bool = False


_RAISE = Course()
_OUTCOME_UNKNOWN = Course(unknown=True)
_BASELINE = Course(fall_back=True)
_RETRY_THEN_BASELINE = Course(retry=True, fall_back=True)

_R, _I, _W = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.WRITE
_TABLE: dict[tuple[Fate, Kind], Course] = {
    **{(Fate.NEVER_STARTED, kind): _BASELINE for kind in Kind},
    **{(Fate.NOT_SENT, kind): _RETRY_THEN_BASELINE for kind in Kind},
    (Fate.REJECTED, _R): _RETRY_THEN_BASELINE,
    (Fate.REJECTED, _I): _RETRY_THEN_BASELINE,
    (Fate.REJECTED, _W): Course(retry=True),
    **{(Fate.REJECTED_FINALLY, kind): _RAISE for kind in Kind},
    (Fate.UNKNOWN, _R): _RETRY_THEN_BASELINE,
    (Fate.UNKNOWN, _I): Course(retry=True, unknown=True),
    (Fate.UNKNOWN, _W): _OUTCOME_UNKNOWN,
    (Fate.APPLIED, _R): _BASELINE,
    (Fate.APPLIED, _I): _OUTCOME_UNKNOWN,
    (Fate.APPLIED, _W): _OUTCOME_UNKNOWN,
    **{(Fate.CANCELLED, kind): _RAISE for kind in Kind},
}


def fate_of(error: ErrorInfo) -> Fate:
    """The row of a failed attempt that did start."""
    if error.category is Category.CANCELLED:
        return Fate.CANCELLED
    if error.delivery is Delivery.REJECTED:
        return Fate.REJECTED if error.retryable else Fate.REJECTED_FINALLY
    return Fate(error.delivery.value)


def course(kind: Kind, fate: Fate, permissions: Permissions = Permissions()) -> Course:  # noqa: B008 - immutable
    """One cell of the table, without what earlier attempts of the call have left behind."""
    cell = _TABLE[fate, kind]
    if fate is Fate.REJECTED and kind is Kind.WRITE and permissions.fall_back_on_reject:
        return cell._replace(fall_back=True)
    if fate is Fate.UNKNOWN and kind is Kind.IDEMPOTENT_WRITE and permissions.shared_keys:
        return cell._replace(fall_back=True)
    return cell


class StartRefused(ThrowbarError):
    """An attempt was about to start that could do a thing twice. Only a defect of this package meets it."""


class StartToken:
    """One logical call's licence to start attempts: `start` before each, `settle` after each that failed.

    A WRITE starts once; only the proof that nothing was done arms the token again. An effect that may exist at one
    backend keeps an idempotent write from every other.
    """

    __slots__ = ("_armed", "_at", "_kind", "_permissions", "uncertain_at")

    def __init__(self, kind: Kind, permissions: Permissions = Permissions()) -> None:  # noqa: B008 - immutable
        self._kind = kind
        self._permissions = permissions
        self._armed = True
        self._at = ""
        self.uncertain_at: str | None = None  # the backend where the call may have been carried out

    def start(self, backend: str) -> None:
        """Raises StartRefused, and then nothing may be called."""
        if not self.may_start(backend):
            raise StartRefused(f"a second {self._kind} at {backend}, after one at {self._at}")
        self._at = backend
        self._armed = self._kind is not Kind.WRITE

    def may_start(self, backend: str) -> bool:
        if self.uncertain_at is None:
            return self._armed
        same_effect = backend == self.uncertain_at or self._permissions.shared_keys
        return self._kind is Kind.IDEMPOTENT_WRITE and same_effect

    def settle(self, fate: Fate) -> Course:
        """What may follow, all attempts of this call considered."""
        if self._kind is Kind.READ:
            return course(Kind.READ, fate)
        if fate in (Fate.UNKNOWN, Fate.APPLIED, Fate.CANCELLED):
            self.uncertain_at = self._at
        elif fate is not Fate.REJECTED_FINALLY:
            self._armed = True
        here = course(self._kind, fate, self._permissions)
        if self.uncertain_at is None or fate is Fate.CANCELLED:
            return here
        if self._kind is Kind.WRITE:
            return _OUTCOME_UNKNOWN
        # "Not sent" of a second attempt proves nothing about the first.
        return Course(here.retry, here.fall_back and self._permissions.shared_keys, unknown=True)


class WriteReceipt(NamedTuple):
    """What is known of a write whose outcome is not: enough to look it up, in `at` seconds since the epoch.

    `key_hash` is keyed: receipts get into logs and telemetry, keys must not.
    """

    flag: str
    operation: str
    backend: str
    at: float
    key_hash: str | None = None
    idempotency_key: str | None = None


class OutcomeUnknown(ThrowbarError):
    """A write may or may not have been carried out, and was not repeated. Its `__cause__` is the backend's error."""

    def __init__(self, receipt: WriteReceipt) -> None:
        super().__init__(f"{receipt.flag}/{receipt.operation} at {receipt.backend}: nobody knows whether it was done")
        self.receipt = receipt
