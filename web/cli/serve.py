"""`throwbar serve` and `throwbar scheduler`: how does a process of the server start and end?"""

import os
import signal
import socket
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import click

from controlplane.clock import utc_now
from controlplane.settings import Settings, read_settings
from controlplane.store import open_store
from controlplane.usecases.signing_in import first_link
from controlplane.usecases.starting import prepare
from web.cli.listening import BACKLOG, address_of, allow_many_clients, is_loopback, listen
from web.cli.logs import configure_logging
from web.secret_key import find_secret_key

if TYPE_CHECKING:
    from uvicorn import Config

KEEP_ALIVE_SECONDS = 75  # longer than services poll: else each poll is a new connection
DRAIN_SECONDS = 3  # for requests in flight
STARTS_WITHIN_SECONDS = 60  # of a worker; uvicorn kills it after five, again and again where loading takes as long


@click.command("serve")
@click.option("--host", help="Address to listen on.  [default: THROWBAR_HOST, else 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="0 for any free one.  [default: THROWBAR_PORT, else 8000]")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that serve.")
@click.option("--no-scheduler", is_flag=True, help="Serve only; run `throwbar scheduler` somewhere else.")
def serve_command(host: str | None, port: int | None, workers: int, no_scheduler: bool) -> None:
    """Serve pages, API and SDKs, and run the scheduler.

    Any number of processes and hosts may share a PostgreSQL: one scheduler among them acts at a time.
    """
    settings = read_settings(os.environ)
    configure_logging(settings.log_format)
    listener = listen(settings.host if host is None else host, settings.port if port is None else port)
    with open_store(settings.database_url) as store:
        find_secret_key(settings)
        prepare(store, settings, utc_now())
        link = first_link(store, utc_now(), settings.admin_email, settings.admin_password)
    _greet(listener, link)
    allow_many_clients()
    _serve(settings, listener, workers, schedule=not no_scheduler)


@click.command("scheduler")
def scheduler_command() -> None:
    """Run the scheduler alone, beside servers started with --no-scheduler."""
    from web.cli.entry import make_scheduler  # noqa: PLC0415 - as in `_serve`

    settings = read_settings(os.environ)
    configure_logging(settings.log_format)
    with open_store(settings.database_url) as store:
        prepare(store, settings, utc_now())
        scheduler = make_scheduler(store, settings)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        scheduler.start()
        ended.wait()
        scheduler.stop()


def _greet(listener: socket.socket, link: str | None) -> None:
    """To stdout, for a person: the link is a secret and goes to no log."""
    address = address_of(listener)
    click.echo(f"Throwbar listens on {address}")
    if link and is_loopback(listener.getsockname()[0]):
        click.echo(f"Sign in, once within a day: {address}/sign-in/{link}")
    elif link:
        click.echo("Nobody has a password yet: `throwbar user link EMAIL` on this host makes a link to sign in")


def _serve(settings: Settings, listener: socket.socket, workers: int, *, schedule: bool) -> None:
    # The web stack takes most of the start; a command that fails before needs none of it.
    from uvicorn import Server  # noqa: PLC0415
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415

    config = config_of(settings, workers, schedule=schedule)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when it has stopped in order
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def config_of(settings: Settings, workers: int, *, schedule: bool) -> "Config":
    """How uvicorn serves us."""
    from uvicorn import Config  # noqa: PLC0415 - as in `_serve`

    from web.cli.entry import make_entry  # noqa: PLC0415 - as in `_serve`

    return Config(
        partial(make_entry, settings, schedule=schedule),
        factory=True,
        workers=workers,
        lifespan="on",
        http="httptools",
        ws="none",
        proxy_headers=False,  # the site looks at them, services need not
        server_header=False,
        access_log=False,  # it would tell the secrets of sign-in links
        log_config=None,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_worker_healthcheck=STARTS_WITHIN_SECONDS,
    )
