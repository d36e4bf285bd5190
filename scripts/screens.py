"""Which pictures show Throwbar? Lives some weeks in a moment, serves them with a clock that stands, and looks."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from a2wsgi import WSGIMiddleware
from playwright.sync_api import Browser
from uvicorn import Config, Server

from controlplane.clock import utc_now
from controlplane.domain.snapshot import Clockwork
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases import signing_in
from controlplane.usecases.starting import prepare
from scripts.exhibit import ANN, Past
from scripts.exhibit_cast import MIGRATIONS
from tests.infrastructure.chromium import find_chromium, launched
from web.app import create_app
from web.cli.entry import Entry, make_brain
from web.edge import Desk, Edge

SCREENS = Path(__file__).resolve().parent.parent / "docs" / "screens"
FLAGS = "/environments/production/flags"
# Name → address, and what the picture begins at.
PICTURES = {
    "overview": (FLAGS, None),
    "ramping": (f"{FLAGS}/dspex-bridge", None),
    "rolled-back": (f"{FLAGS}/checkout-pricing", None),
    "plan": (f"{FLAGS}/dspex-bridge/edit", "#stages"),
    "audit": ("/environments/production/audit", None),
}
LARGEST = 200_000  # bytes


def main() -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    until = utc_now().replace(microsecond=0)
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/throwbar.db") as store:
        settings = Settings(database_url=f"sqlite:///{folder}/throwbar.db", secret_key="a key for pictures only")  # noqa: S106
        prepare(store, settings, until - timedelta(days=29))
        past = Past(store, until, MIGRATIONS)
        past.live()
        link = signing_in.create_link(store, ANN, past.cause(ANN))
        with serving(store, settings, until) as address, launched(find_chromium()) as browser:
            look(browser, address, link)


@contextmanager
def serving(store: Store, settings: Settings, until: datetime) -> Iterator[str]:
    """The pages as they stood at an instant, without a scheduler."""
    site = WSGIMiddleware(create_app(store, settings, lambda: until))
    edge = Edge(make_brain(store, Clockwork(), lambda: until), Desk(site), 0.25)  # type: ignore[arg-type]
    server = Server(
        Config(Entry(open_store(settings.database_url), edge, None), port=0, lifespan="on", log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def look(browser: Browser, address: str, link: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/sign-in/{link}")
    page.get_by_role("button", name="Sign in").click()
    for name, (path, begin) in PICTURES.items():
        page.goto(address + path)
        page.wait_for_timeout(1_500)  # charts are drawn after the page
        if begin:
            page.locator(begin).scroll_into_view_if_needed()
            page.evaluate("name => document.querySelector(name).scrollIntoView()", begin)
        picture = SCREENS / f"{name}.png"
        page.screenshot(path=picture)
        print(f"{picture.name}: {picture.stat().st_size:,} bytes")
        assert picture.stat().st_size < LARGEST, "too large for a README"
    context.close()


if __name__ == "__main__":
    main()
