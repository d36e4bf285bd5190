"""Throwbar's SDK: route calls between a baseline and a candidate backend, measure them, obey a rollback."""

from typing import TYPE_CHECKING, Any

from throwbar.circuit import BreakerOpen
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

if TYPE_CHECKING:
    from throwbar.adapters import AdapterRegistry
    from throwbar.adapting import ArgumentsNotAdapted, ResultNotAdapted
    from throwbar.affinity import Affinity, AffinityMode, SessionWorkerUnavailable
    from throwbar.backends import Backend, InitializationFailed
    from throwbar.comparison import Compare
    from throwbar.divergence import Divergence
    from throwbar.lease import WorkerBusy
    from throwbar.pin_store import MemoryPinStore, PinStore
    from throwbar.pins import Pins
    from throwbar.seats import Assignment, Placement
    from throwbar.shadow import is_shadow

READ = Kind.READ
IDEMPOTENT_WRITE = Kind.IDEMPOTENT_WRITE
WRITE = Kind.WRITE

# Loaded when they are first asked for: most services need none of them, and every service pays for an import.
_LATER = {
    "AdapterRegistry": "adapters",
    "Affinity": "affinity",
    "AffinityMode": "affinity",
    "ArgumentsNotAdapted": "adapting",
    "Assignment": "seats",
    "Backend": "backends",
    "Compare": "comparison",
    "Divergence": "divergence",
    "InitializationFailed": "backends",
    "MemoryPinStore": "pin_store",
    "PinStore": "pin_store",
    "Pins": "pins",
    "Placement": "seats",
    "ResultNotAdapted": "adapting",
    "SessionWorkerUnavailable": "affinity",
    "WorkerBusy": "lease",
    "is_shadow": "shadow",
}
_MODULES = {"hooks", "testing"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is called so
    if name not in _LATER and name not in _MODULES:
        raise AttributeError(f"module 'throwbar' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    if name in _MODULES:
        return import_module(f"throwbar.{name}")
    found = getattr(import_module(f"throwbar.{_LATER[name]}"), name)
    globals()[name] = found
    return found


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
    "AdapterRegistry",
    "Affinity",
    "AffinityMode",
    "ArgumentsNotAdapted",
    "Assignment",
    "Backend",
    "Breaker",
    "BreakerOpen",
    "Client",
    "Compare",
    "ConfigurationError",
    "DeadlineExceeded",
    "Decision",
    "Divergence",
    "ErrorInfo",
    "InitializationFailed",
    "MemoryPinStore",
    "Migration",
    "Operation",
    "OutcomeUnknown",
    "PinStore",
    "Pins",
    "Placement",
    "ResultNotAdapted",
    "Retry",
    "SessionWorkerUnavailable",
    "ThrowbarError",
    "WorkerBusy",
    "WriteReceipt",
    "__version__",
    "explain_error",
    "is_shadow",
    "remaining",
]
