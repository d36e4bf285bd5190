"""How does a service use one flag? The four ways to route a call of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from throwbar.attempt import Attempt
from throwbar.binding import Binding
from throwbar.decision import Decision
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.kinds import Kind
from throwbar.names import LONGEST, sendable
from throwbar.operation import Operation
from throwbar.route import AttributesOf, F, KeyOf, routed

BINDINGS = 1_000  # operation names made up at run time must not fill the memory


class Migration:
    """One flag, seen from a service. Get it from `Client.migration`."""

    def __init__(self, engine: Engine, key: str, baseline: str) -> None:
        self.key = _name("the flag key", key)
        self._baseline = _name("baseline", baseline)
        self._engine = engine
        self._bindings: dict[str, Binding] = {}

    def operation(self, name: str, *, kind: Kind = Kind.WRITE, deadline: float | None = None) -> Operation:
        """An operation whose sides are two functions: decorate them with `.baseline` and `.candidate`."""
        if deadline is not None and deadline <= 0:
            raise ConfigurationError(f"deadline is {deadline!r}, not a positive number of seconds")
        return Operation(self._bind(name), _kind(kind), deadline)

    def route(
        self,
        name: str,
        *,
        candidate: Callable[..., Any],
        key: KeyOf | None = None,
        attributes: AttributesOf | None = None,
        kind: Kind = Kind.WRITE,
    ) -> Callable[[F], F]:
        """Decorator for the baseline function; its call sites stay as they are.

        `key` and `attributes` are functions of the call's arguments.
        """
        _kind(kind)
        binding = self._bind(name)
        return lambda baseline: routed(binding, baseline, candidate, key, attributes)

    def attempt(self, name: str, *, key: object = None, attributes: Mapping[str, Any] | None = None) -> Attempt:
        """A `with` block for code that cannot be two functions: ask `.candidate` or `.backend` inside."""
        return Attempt(self._bind(name), key, attributes)

    def decide(self, name: str, *, key: object = None, attributes: Mapping[str, Any] | None = None) -> Decision:
        """The decision alone. Counted nowhere."""
        return self._bind(name).decide(key, attributes)

    def _bind(self, name: str) -> Binding:
        binding = self._bindings.get(name)
        if binding is None:
            binding = Binding(self._engine, self.key, _name("the operation", name), self._baseline)
            if len(self._bindings) < BINDINGS:
                self._bindings[name] = binding
        return binding


def _name(what: str, name: object) -> str:
    if isinstance(name, str) and sendable(name):
        return name
    raise ConfigurationError(f"{what} is {name!r}, not a name of 1 to {LONGEST} printable characters")


def _kind(kind: object) -> Kind:
    try:
        return Kind(kind)  # type: ignore[arg-type]
    except ValueError:
        raise ConfigurationError(f"kind is {kind!r}, not one of {', '.join(Kind)}") from None
