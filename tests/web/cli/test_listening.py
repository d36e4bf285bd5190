"""Is the socket what the server relies on?"""

import socket
import sys
from contextlib import closing

import click
import pytest

from web.cli.listening import STALLED_MILLISECONDS, address_of, is_loopback, listen


@pytest.mark.skipif(sys.platform != "linux", reason="an option of Linux")
def test_a_client_that_stops_reading_is_left_to_the_kernel() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with closing(accepted):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == STALLED_MILLISECONDS


def test_a_free_port_is_told() -> None:
    with closing(listen("127.0.0.1", 0)) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_taken_port_is_refused_with_a_way_out() -> None:
    with closing(listen("127.0.0.1", 0)) as listener, pytest.raises(click.ClickException, match="choose another"):
        listen("127.0.0.1", listener.getsockname()[1])


def test_an_address_of_another_machine_is_refused_with_the_reason() -> None:
    with pytest.raises(click.ClickException, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_a_link_is_printed_only_where_nobody_else_listens(host: str, here: bool) -> None:
    assert is_loopback(host) is here
