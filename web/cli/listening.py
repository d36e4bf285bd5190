"""Where does the server listen? The socket is opened first, so that a taken port is told before anything is done."""

import errno
import ipaddress
import resource
import socket

import click

BACKLOG = 2_048
# A client that stops reading is dropped by the kernel after so long, whatever was being sent to it.
STALLED_MILLISECONDS = 15_000


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ClickException, whose sentence the shell prints."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MILLISECONDS)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        way_out = "another program listens there; choose another with --port" if taken else error.strerror
        listener.close()
        raise click.ClickException(f"cannot listen on {host}, port {port}: {way_out}") from None
    return listener


def allow_many_clients() -> None:
    """Each waiting service is an open file: take as many as the system lets us, not the few it gives by default."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
