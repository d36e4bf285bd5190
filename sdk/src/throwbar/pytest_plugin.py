"""How does a service run its own tests once for each way a call can go? `pytest --throwbar=baseline,candidate`.

Does nothing unless asked. Each test then runs once under each mode, which its id names: `test_totals[candidate]`; the
fixture `throwbar_forced` tells which. Set-up and tear-down are under the mode, too.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

OPTION = "--throwbar"
FIXTURE = "throwbar_forced"
MODES = ("baseline", "candidate", "fallback", "breaker-open")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("throwbar").addoption(
        OPTION,
        metavar="MODE[,MODE…]",
        type=_modes,
        default=(),
        help=f"run each test once for each mode, all routed calls forced into it: {', '.join(MODES)}, or all",
    )


@pytest.fixture
def throwbar_forced(request: pytest.FixtureRequest) -> str | None:
    """The mode that this test runs under, None when no --throwbar was asked for."""
    modes = request.config.getoption(OPTION)
    return getattr(request, "param", modes[0] if modes else None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    modes = metafunc.config.getoption(OPTION)
    if modes:
        if FIXTURE not in metafunc.fixturenames:
            metafunc.fixturenames.append(FIXTURE)
        metafunc.parametrize(FIXTURE, modes, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run under the first mode only what cannot be repeated: the others would seem to be covered."""
    modes = config.getoption(OPTION)
    alone = [item for item in items if not _parameters(item)] if len(modes) > 1 else []
    if alone:
        raise pytest.UsageError(
            f"{alone[0].nodeid} cannot run once a mode, as it is not a test function of pytest"
            f" ({len(alone)} like it): give one mode at a time to {OPTION}"
        )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    modes = item.config.getoption(OPTION)
    if not modes:
        return (yield)
    from throwbar.testing import forced  # noqa: PLC0415 - whoever does not ask does not pay

    mode = _parameters(item).get(FIXTURE, modes[0])
    with forced(to=mode.replace("-", "_")):
        return (yield)


def _parameters(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return {} if callspec is None else callspec.params


def _modes(text: str) -> tuple[str, ...]:
    """Raises UsageError, which pytest prints as its own."""
    asked = MODES if text == "all" else tuple(dict.fromkeys(mode.strip().replace("_", "-") for mode in text.split(",")))
    unknown = [mode for mode in asked if mode not in MODES]
    if unknown:
        raise pytest.UsageError(f"{OPTION}: {unknown[0]!r} is not one of {', '.join(MODES)}, or all")
    return asked
