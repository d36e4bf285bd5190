"""A client that talks to a fake control plane, on a clock set by hand."""

import os
from collections.abc import Iterator

import pytest

import throwbar
from tests.sdk.fake_control_plane import Clock, FakeControlPlane


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("THROWBAR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> FakeControlPlane:
    return FakeControlPlane()


@pytest.fixture
def client(server: FakeControlPlane, clock: Clock) -> Iterator[throwbar.Client]:
    """Its intervals are so long that after the start only `flush` makes it talk."""
    with throwbar.Client(
        "http://throwbar.test",
        "token",
        service="shop",
        poll_interval=3600,
        report_interval=3600,
        backup_file=False,
        transport=server,
        wall_clock=clock,
    ) as client:
        yield client
