"""What does one server process consist of? The edge, the site behind it, and a scheduler beside them."""

import asyncio
import hmac
import logging
import os
import signal
import threading
from functools import partial
from types import FrameType

from a2wsgi import WSGIMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from controlplane.clock import Clock, utc_now
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties, Scheduler, holder_name
from controlplane.settings import Settings, SettingsError
from controlplane.store import Store, open_store
from controlplane.usecases.books import keep_books
from controlplane.usecases.delivering import Office
from controlplane.usecases.flag_sets import current_flag_set
from controlplane.usecases.metering import record_metrics
from controlplane.usecases.news import read_news
from controlplane.usecases.polls import note_polls
from controlplane.usecases.sealing import Seal
from controlplane.usecases.signing_in import role_of
from controlplane.usecases.snapshots import current_snapshot
from controlplane.usecases.stirring import read_marks
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.tokens import list_tokens
from web.app import create_app
from web.cli.logs import configure_logging
from web.courier import Courier
from web.edge import Brain, Desk, Edge
from web.edge.http import Application, Receive, Scope, Send
from web.secret_key import find_secret_key

_log = logging.getLogger(__name__)
PROXIES = "FORWARDED_ALLOW_IPS"  # uvicorn's own name for whose word counts on where a request came from
SITE_THREADS = 10
LOOK_EVERY = {True: 0.1, False: 0.25}  # seconds; embedded or not: a look at SQLite needs no network


class Entry:
    """The ASGI application of a process, from its first breath to its last."""

    def __init__(self, store: Store, edge: Edge, scheduler: Scheduler | None) -> None:
        self._store = store
        self._edge = edge
        self._scheduler = scheduler
        self._releasing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._edge(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._edge.open()
        if self._scheduler:
            await asyncio.to_thread(self._scheduler.start)
        self._listen_for_the_end()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._edge.close()
        if self._scheduler:
            await asyncio.to_thread(self._scheduler.stop)
        self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _listen_for_the_end(self) -> None:
        """Waiting clients are let go when the server is told to stop; it would wait for each of them otherwise."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals come to the main thread only
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            then = signal.getsignal(number)

            def handle(number: int, frame: FrameType | None, then: object = then) -> None:
                loop.call_soon_threadsafe(self._release)
                if callable(then):
                    then(number, frame)

            signal.signal(number, handle)

    def _release(self) -> None:
        self._releasing = asyncio.get_running_loop().create_task(self._edge.release())


def make_entry(settings: Settings, *, schedule: bool) -> Entry:
    """Called in the process that serves, after any fork."""
    configure_logging(settings.log_format)
    store = open_store(settings.database_url)
    clockwork = settings.clockwork
    site: Application = WSGIMiddleware(create_app(store, settings, utc_now), workers=SITE_THREADS)  # type: ignore[assignment, arg-type]  # two spellings of ASGI
    guarded: Application = ProxyHeadersMiddleware(Desk(site), os.environ.get(PROXIES, "127.0.0.1"))  # type: ignore[assignment, arg-type]  # as above
    brain = make_brain(store, clockwork, utc_now, find_secret_key(settings))
    edge = Edge(brain, guarded, LOOK_EVERY[settings.is_embedded], origins=settings.origins)
    return Entry(store, edge, make_scheduler(store, settings) if schedule else None)


def make_scheduler(store: Store, settings: Settings) -> Scheduler:
    duties = Duties(store, utc_now, settings.clockwork, holder_name(), office=make_office(settings))
    return Scheduler(duties, settings.tick_seconds)


def make_office(settings: Settings) -> Office | None:
    """None for a scheduler without the secret key: it can sign nothing, and rollouts must not wait for that."""
    try:
        seal = Seal(find_secret_key(settings))
    except SettingsError as error:
        _log.warning("webhooks are not told of anything by this scheduler: %s", error)
        return None
    return Office(Courier(settings.allowed), seal, utc_now)


def make_brain(store: Store, clockwork: Clockwork, clock: Clock, secret_key: str) -> Brain:
    return Brain(
        news=partial(read_news, store),
        snapshot=lambda environment: current_snapshot(store, environment, clockwork),
        flag_set=partial(current_flag_set, store),
        tokens=partial(list_tokens, store),
        record=lambda batch: record_reports(store, batch, clock()),
        meter=lambda environment, batches: record_metrics(
            store, environment, batches, clock(), clockwork.bucket_seconds
        ),
        keep_books=lambda used, counts: keep_books(store, used, counts, clock()),
        note_polls=partial(note_polls, store),
        clock=clock,
        marks=partial(read_marks, store),
        role=lambda secret, environment: role_of(store, secret, environment, clock()),
        ticket_key=hmac.digest(secret_key.encode(), b"streams of OFREP", "sha256"),
    )
