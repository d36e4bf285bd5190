"""How does a service use one flag? The four ways to route a call of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from throwbar.attempt import Attempt
from throwbar.binding import Binding
from throwbar.circuit import BreakerSettings
from throwbar.decision import Decision
from throwbar.delivery import Permissions
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.evidence import Classifier
from throwbar.kinds import Kind
from throwbar.names import LONGEST, sendable
from throwbar.operation import Operation, operation_of
from throwbar.policy import KeyOfWrite, OnUnknown, Policy, checked
from throwbar.retry import RetrySettings
from throwbar.route import AttributesOf, F, KeyOf, Ticket, routed

if TYPE_CHECKING:
    from throwbar.comparison import Compare
    from throwbar.copies import CopyOf
    from throwbar.divergence import Reconcile
    from throwbar.pins import Pins

DEFAULTS = Policy()
MIGRATIONS = 10_000  # flag keys made up at run time must not fill the memory
BINDINGS = 1_000  # and no operation names


class Migration:
    """One flag, seen from a service. Get it from `Client.migration`."""

    def __init__(self, engine: Engine, key: str, baseline: str) -> None:
        self.key = _name("the flag key", key)
        self.baseline = _name("baseline", baseline)
        self._engine = engine
        self._bindings: dict[str, Binding] = {}

    def operation(  # noqa: PLR0913 - all have defaults and names
        self,
        name: str,
        *,
        kind: Kind = Kind.WRITE,
        deadline: float | None = None,
        retry: RetrySettings | None = DEFAULTS.retry,
        breaker: BreakerSettings | None = DEFAULTS.breaker,
        fallback: bool = True,
        expected: type[BaseException] | tuple[type[BaseException], ...] = (),
        classify: Classifier | None = None,
        on_unknown: OnUnknown | None = None,
        idempotency_key: KeyOfWrite | None = None,
        fall_back_on_reject: bool = False,
        shared_keys: bool = False,
        pins: Pins | None = None,
        compare: Compare | None = None,
        snapshot: CopyOf | None = None,
        dual_write: bool = False,
        reconcile: Reconcile | None = None,
    ) -> Operation:
        """An operation whose sides are two functions: decorate them with `.baseline` and `.candidate`.

        `kind` says what may be repeated; `deadline`, in seconds, spans attempts, pauses and fallback. `retry` None: no
        second attempt; `breaker` None: none but what the control plane forces. `expected` exceptions are answers.
        `classify` and `on_unknown` are the service's own words on errors, and on writes of unknown outcome;
        `idempotency_key` tells that of a call from its arguments. `fall_back_on_reject`: a WRITE that the candidate
        refused may be done by the baseline; `shared_keys`: both backends honour the same idempotency keys. `pins`
        keep a session where it began. `compare` says when two answers of a READ mean the same, and `snapshot` copies
        one of its arguments or results; `dual_write` allows a WRITE in both stores, if `reconcile` takes what went
        wrong.

        Raises ConfigurationError.
        """
        policy = Policy(
            *(kind, deadline, retry, breaker, fallback, expected, classify, on_unknown),  # type: ignore[arg-type]
            permissions=Permissions(fall_back_on_reject, shared_keys),
            idempotency_key=idempotency_key,
            pins=pins,
            compare=compare,
            snapshot=snapshot,
            dual_write=dual_write,
            reconcile=reconcile,
        )
        policy = checked(policy)
        binding = self._bind(name)
        self._engine.sites.note(self.key, name, policy.modes)
        binding.declare(policy)
        return operation_of(self._engine, binding, policy)

    def route(
        self,
        name: str,
        *,
        candidate: Callable[..., Any],
        key: KeyOf | None = None,
        attributes: AttributesOf | None = None,
        **declared: Any,  # noqa: ANN401 - the arguments of `operation`, checked there
    ) -> Callable[[F], F]:
        """Decorator for the baseline function; its call sites stay as they are.

        `key` and `attributes` are functions of the call's arguments; the rest is as for `operation`.
        """
        operation = self.operation(name, **declared)
        ticket = Ticket(key, attributes)
        return lambda baseline: routed(self._engine, self._bind(name), operation.policy, baseline, candidate, ticket)

    def attempt(self, name: str, *, key: object = None, attributes: Mapping[str, Any] | None = None) -> Attempt:
        """A `with` block for code that cannot be two functions: ask `.candidate` or `.backend` inside."""
        return Attempt(self._bind(name), key, attributes)

    def decide(self, name: str, *, key: object = None, attributes: Mapping[str, Any] | None = None) -> Decision:
        """The decision alone. Counted nowhere."""
        binding = self._bindings.get(name) or self._bind(name)
        return binding.decide(key, attributes)

    def binds(self, name: str) -> bool:
        """Whether this operation is in use already."""
        return name in self._bindings

    def _bind(self, name: str) -> Binding:
        binding = self._bindings.get(name)
        if binding is None:
            binding = _binding(self._engine, self.key, _name("the operation", name), self.baseline)
            if len(self._bindings) < BINDINGS:
                self._bindings[name] = binding
                self._engine.sites.note(self.key, name)
        return binding


class Migrations:
    """Those of one client. One is there once: its breakers and pins are those of all who ask for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, list[Migration]] = {}
        self._count = 0

    def get(self, key: str, baseline: str) -> Migration:
        """The one of this name. Raises ConfigurationError for what is no name."""
        for known in self._known.get(key, ()):
            if known.baseline == baseline:
                return known
        made = Migration(self._engine, key, baseline)
        if self._count >= MIGRATIONS:
            return made
        self._count += 1
        alike = self._known.setdefault(key, [])
        alike.append(made)
        return next(one for one in alike if one.baseline == baseline)  # another thread may have been first

    def using(self, key: str, operation: str) -> Migration | None:
        """The newest of this flag that has the operation in use, else the newest, whatever its baseline is called."""
        known = self._known.get(key, ())
        return next((one for one in reversed(known) if one.binds(operation)), known[-1] if known else None)


def _binding(engine: Engine, flag: str, operation: str, baseline: str) -> Binding:
    if not engine.hooks:
        return Binding(engine, flag, operation, baseline)
    from throwbar.watched import WatchedBinding  # noqa: PLC0415 - few services have hooks, the others should not pay

    return WatchedBinding(engine, flag, operation, baseline)


def _name(what: str, name: object) -> str:
    if isinstance(name, str) and sendable(name):
        return name
    raise ConfigurationError(f"{what} is {name!r}, not a name of 1 to {LONGEST} printable characters")
