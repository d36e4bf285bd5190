import asyncio
import concurrent.futures
import http.client
import socket

import pytest

from throwbar.outcome import categorise


class ReadTimeout(Exception):
    """As client libraries name it."""


class Slow(ReadTimeout):
    pass


class Hostile(Exception):
    def __getattribute__(self, name):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (ConnectionRefusedError(), "connection"),
        (socket.gaierror(), "connection"),
        (ConnectionResetError(), "communication"),
        (BrokenPipeError(), "communication"),
        (http.client.RemoteDisconnected(), "communication"),
        (EOFError(), "communication"),
        (TimeoutError(), "timeout"),
        (Slow(), "timeout"),
        (MemoryError(), "resource"),
        (ModuleNotFoundError(), "initialization"),
        (RecursionError(), "system"),
        (PermissionError(), "system"),
        (KeyError("x"), "application"),
        (ExceptionGroup("x", [ValueError()]), "application"),
        (Hostile(), "application"),
        (asyncio.CancelledError(), "cancelled"),
        (concurrent.futures.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (SystemExit(), "cancelled"),
        (GeneratorExit(), "cancelled"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_category_of_an_exception(error, category):
    assert categorise(error) == category
