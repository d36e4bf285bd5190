"""How does a call in the words of one backend reach another? Its arguments and its result are translated."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from throwbar.errors import ThrowbarError
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery

Adapted = tuple[tuple[Any, ...], Mapping[str, Any]]
AdaptArguments = Callable[..., Adapted]
AdaptResult = Callable[[Any], Any]
Function = Callable[..., Any]


class ArgumentsNotAdapted(ThrowbarError):
    """The arguments could not be translated for this backend, so nothing was sent. `__cause__` says why."""

    error_info = BY_CATEGORY[Category.APPLICATION]._replace(
        delivery=Delivery.NOT_SENT, because="adapt_args raised, before anything was sent"
    )


class ResultNotAdapted(ThrowbarError):
    """The backend did its work, and its result could not be translated. `__cause__` says why."""

    error_info = BY_CATEGORY[Category.COMMUNICATION]._replace(
        delivery=Delivery.APPLIED, retryable=False, because="adapt_result raised, after the backend had answered"
    )


def adapting(
    get: Callable[[], Any], function: Function, adapt_args: AdaptArguments | None, adapt_result: AdaptResult | None
) -> Function:
    """`function` without its first argument, which is got."""

    @functools.wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        instance = get()
        args, kwargs = _arguments(adapt_args, args, kwargs)
        return _result(adapt_result, function(instance, *args, **kwargs))

    return call


def adapting_async(
    get: Callable[[], Awaitable[Any]],
    function: Function,
    adapt_args: AdaptArguments | None,
    adapt_result: AdaptResult | None,
) -> Function:
    """The same for a coroutine function."""

    @functools.wraps(function)
    async def call(*args: object, **kwargs: object) -> object:
        instance = await get()
        args, kwargs = _arguments(adapt_args, args, kwargs)
        return _result(adapt_result, await function(instance, *args, **kwargs))

    return call


def _arguments(
    adapt: AdaptArguments | None, args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if adapt is None:
        return args, kwargs
    try:
        adapted_args, adapted_kwargs = adapt(*args, **kwargs)
        return tuple(adapted_args), dict(adapted_kwargs)
    except Exception as error:
        raise ArgumentsNotAdapted(f"adapt_args raised {type(error).__name__}") from error


def _result(adapt: AdaptResult | None, result: object) -> object:
    if adapt is None:
        return result
    try:
        return adapt(result)
    except Exception as error:
        raise ResultNotAdapted(f"adapt_result raised {type(error).__name__}") from error
