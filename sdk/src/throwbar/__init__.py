"""Throwbar's SDK: route calls between a baseline and a candidate backend, measure them, obey a rollback."""

from throwbar.circuit import BreakerSettings as Breaker
from throwbar.client import Client
from throwbar.deadline import DeadlineExceeded, remaining
from throwbar.decision import Decision
from throwbar.delivery import OutcomeUnknown, WriteReceipt
from throwbar.errors import ConfigurationError, ThrowbarError
from throwbar.kinds import Kind
from throwbar.migration import Migration
from throwbar.operation import Operation
from throwbar.retry import RetrySettings as Retry
from throwbar.taxonomy import ErrorInfo
from throwbar.version import __version__

READ = Kind.READ
IDEMPOTENT_WRITE = Kind.IDEMPOTENT_WRITE
WRITE = Kind.WRITE


def explain_error(error: BaseException | type[BaseException] | str) -> str:
    """A few lines about an exception, an exception class, or a dotted name of one, as `requests.ConnectionError`.

    A class that cannot be imported here is looked up by name. Raises LookupError for a name that nothing is known of.
    """
    from throwbar import explain  # noqa: PLC0415 - brings argparse, which a service does not need

    return explain.explain_error(error)


__all__ = [
    "IDEMPOTENT_WRITE",
    "READ",
    "WRITE",
    "Breaker",
    "Client",
    "ConfigurationError",
    "DeadlineExceeded",
    "Decision",
    "ErrorInfo",
    "Migration",
    "Operation",
    "OutcomeUnknown",
    "Retry",
    "ThrowbarError",
    "WriteReceipt",
    "__version__",
    "explain_error",
    "remaining",
]
