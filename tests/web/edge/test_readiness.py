"""Does a load balancer hear the truth?"""

from typing import Any

from controlplane.store import Store
from controlplane.usecases.news import News, read_news
from tests.web.edge.plane import FakeClock, Plane, serving, wait_until


class Database:
    """The real one, with a plug to pull."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.is_plugged = True

    def news(self) -> News:
        if not self.is_plugged:
            raise ConnectionError
        return read_news(self.store)


def test_a_plane_with_snapshot_and_database_is_ready(plane: Plane) -> None:
    assert plane.request("GET", "/readyz", token=None).status == 200
    assert plane.request("GET", "/healthz", token=None).status == 200


def test_without_a_database_it_is_alive_but_not_ready_and_says_why(store: Store, clock: FakeClock) -> None:
    database = Database(store)
    database.is_plugged = False

    with serving(store, clock, "tb_sdk_x", news=database.news) as plane:
        ready, alive = plane.request("GET", "/readyz"), plane.request("GET", "/healthz")

    assert (ready.status, alive.status) == (503, 200)
    assert ready.headers["retry-after"] == "1"
    assert ready.json["detail"] == "the snapshots have not been loaded yet"


def test_services_keep_the_last_snapshot_while_the_database_is_away(
    store: Store, clock: FakeClock, sdk_token: str
) -> None:
    database = Database(store)
    with serving(store, clock, sdk_token, news=database.news) as plane:
        before = plane.poll()

        database.is_plugged = False
        wait_until(lambda: plane.request("GET", "/readyz").status == 503)
        detail, during = plane.request("GET", "/readyz").json["detail"], plane.poll()
        database.is_plugged = True
        wait_until(lambda: plane.request("GET", "/readyz").status == 200)

    assert "the database has not answered" in detail
    assert (during.status, during.body) == (200, before.body)


def test_a_broken_snapshot_does_not_delay_a_revocation(store: Store, clock: FakeClock, sdk_token: str) -> None:
    def broken(environment: str) -> dict[str, Any]:
        raise ValueError(environment)

    with serving(store, clock, sdk_token, snapshot=broken) as plane:
        answers = [plane.poll(), plane.request("GET", "/sdk/v1/snapshot", token="tb_sdk_other")]

    assert [answer.status for answer in answers] == [503, 401]
