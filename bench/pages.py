"""What do the pages cost the server with 1 000 flags and 30 days of telemetry? The reference is a page of no flag.

The goal is 100 ms a page, on either database. Processor time of the server: what PostgreSQL takes beside it is told by
the time that the whole answer took, which a busy machine makes longer.
"""

import time
from collections.abc import Callable, Iterator

from bench.databases import stores
from bench.measure import ROUNDS, Row, microseconds_per_call
from bench.retention import arm_of
from controlplane.domain.access import Role
from controlplane.domain.flag import Side
from controlplane.domain.retention import Grain
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.store.cells import Place as Cell
from controlplane.usecases import flags, people, signing_in
from tests.builders import NOW, a_cause, a_flag_document
from web.app import create_app
from web.auth import COOKIE

FLAGS = 1_000
_SETTINGS = Settings(database_url="sqlite:///bench.db", secret_key="a key of sixteen letters")  # the stores are open
HERE = "/environments/production"
PAGES = {
    "list": "/flags",
    "list, searched": "/flags?q=flag-0777",
    "flag, 15 minutes": "/flags/flag-0000",
    "flag, 30 days": "/flags/flag-0000?range=30d",
    "series, 30 days": "/flags/flag-0000/series?range=30d",
    "audit": "/audit",
}


def rows() -> Iterator[Row]:
    for database, store in stores():
        _fill(store)
        browser = create_app(store, _SETTINGS, lambda: NOW).test_client()
        browser.set_cookie(COOKIE, _session(store))
        least = microseconds_per_call(lambda browser=browser: _asked(browser, "/profile"))
        for name, path in PAGES.items():
            spent = microseconds_per_call(lambda browser=browser, path=path: _asked(browser, HERE + path))
            took = _fastest(lambda browser=browser, path=path: _asked(browser, HERE + path))
            yield Row(f"{database}: {name} ({took:.0f} ms in all)", spent, least)


def _fastest(ask: Callable[[], int]) -> float:
    """Milliseconds that an answer took, the database's work and any waiting included."""
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ask()
        took.append(time.perf_counter() - started)
    return min(took) * 1000


def _asked(browser, path: str) -> int:
    assert browser.get(path).status_code == 200, path
    return 1


def _session(store: Store) -> str:
    people.add_person(store, "ann@example.org", Role.ADMIN, a_cause())
    return signing_in.use_link(store, signing_in.create_link(store, "ann@example.org", a_cause()), NOW).secret


def _fill(store: Store) -> None:
    for number in range(FLAGS):
        flags.create_flag(store, "production", a_flag_document(key=f"flag-{number:04}"), a_cause())
    now = int(NOW.timestamp())
    with store.writing() as uow:
        row = uow.environments.get("production")
        uow.packs.add(
            row.id, Grain.HOUR, [_cell(at, *each) for at in range(now - 30 * 86_400, now, 3_600) for each in _SIDES]
        )
        cells = dict(_cell(at, *each) for at in range(now - 900, now, 10) for each in _SIDES)
        uow.buckets.add(row.id, cells)
        uow.commit()


_SIDES = [(operation, side) for operation in ("echo", "simple_predict") for side in Side]


def _cell(at: int, operation: str, side: Side):
    return Cell("flag-0000", at, operation, 1, side, side.value, "share", 1_000), arm_of(at, 300)
