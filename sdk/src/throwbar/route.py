"""How does a function that is called all over the place get a candidate, with its call sites unchanged?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.callables import Colour, colour_of, name_of
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.policy import Policy
from throwbar.runner import Runner

Function = Callable[..., Any]
KeyOf = Callable[..., object]
AttributesOf = Callable[..., Mapping[str, Any]]
F = TypeVar("F", bound=Function)


class Ticket(NamedTuple):
    """How to tell the key and the attributes of a call from its arguments."""

    key: KeyOf | None = None
    attributes: AttributesOf | None = None


def routed(engine: Engine, binding: Binding, policy: Policy, baseline: F, candidate: Function, ticket: Ticket) -> F:
    """`baseline`, with the calls that are decided so going to `candidate`. Raises ConfigurationError."""
    colour = colour_of(baseline)
    if colour_of(candidate) is not colour:
        raise ConfigurationError(f"{name_of(baseline)} is {colour}, its candidate {name_of(candidate)} is not")
    for name, function in ticket._asdict().items():
        if function is not None and not callable(function):
            raise ConfigurationError(f"{name} is {function!r}, not a function of the call's arguments")
    runner = Runner(engine, binding, policy, (baseline, candidate))
    if colour is Colour.ASYNC:
        return cast(F, _wrap_async(baseline, runner, _opener(binding, ticket)))
    return cast(F, _wrap(baseline, runner, binding, ticket))


Opener = Callable[[tuple[object, ...], dict[str, object]], Opened]


def _opener(binding: Binding, ticket: Ticket) -> Opener:
    key, attributes = ticket

    def opened(args: tuple[object, ...], kwargs: dict[str, object]) -> Opened:
        try:
            key_of_call = None if key is None else key(*args, **kwargs)
            attributes_of_call = None if attributes is None else attributes(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the service's own functions, but the call they belong to must go on
            return binding.open_in_trouble(error)
        return binding.open(key_of_call, attributes_of_call)

    return opened


def _wrap(baseline: Function, runner: Runner, binding: Binding, ticket: Ticket) -> Function:
    run = runner.caller()
    key, attributes = ticket

    @functools.wraps(baseline)
    def route(*args: object, **kwargs: object) -> object:
        try:  # not through a function of ours, which would cost as much as a look at the clock
            key_of_call = None if key is None else key(*args, **kwargs) if kwargs else key(*args)
            attributes_of_call = None if attributes is None else attributes(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            opened = binding.open_in_trouble(error)
        else:
            return run(key_of_call, attributes_of_call, args, kwargs)
        return runner.run(opened, args, kwargs)

    return route


def _wrap_async(baseline: Function, runner: Runner, opened: Opener) -> Function:
    run = runner.run_async

    @functools.wraps(baseline)
    async def route(*args: object, **kwargs: object) -> object:
        return await run(opened(args, kwargs), args, kwargs)

    return route
