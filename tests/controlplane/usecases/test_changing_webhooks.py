"""Two administrators and one webhook at the same instant: who comes second sees what the first has done."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from controlplane.domain.audit import Action
from controlplane.domain.destination import Allowed
from controlplane.domain.errors import InvalidInput, NotFound, ThrowbarError
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases import webhooks
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.starting import prepare
from tests.builders import NOW, a_cause
from tests.controlplane.usecases.telling import SEAL, wanted

pytestmark = pytest.mark.postgresql


@pytest.fixture
def store(postgres_url):
    with open_store(postgres_url) as opened:
        prepare(opened, Settings(database_url=postgres_url, secret_key="k" * 32), NOW)
        webhooks.create_webhook(opened, wanted("chat"), SEAL, Allowed(), a_cause())
        webhooks.create_webhook(opened, wanted("pager"), SEAL, Allowed(), a_cause())
        yield opened


def while_another_changes(
    store: Store, url: str, first: Callable[[Any], object], second: Callable[[], object]
) -> list[ThrowbarError]:
    """`second` begins while `first` holds the log, and goes on when that is committed; what it failed with."""
    failed: list[ThrowbarError] = []

    def attempt() -> None:
        try:
            second()
        except ThrowbarError as error:
            failed.append(error)

    engine, waiting = create_engine(url), threading.Thread(target=attempt)
    with store.writing() as uow, engine.connect() as watching:
        uow.environments.get("production", lock=True)
        waiting.start()
        locked = text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        deadline = time.monotonic() + 60
        while not watching.execute(locked).scalar():
            assert time.monotonic() < deadline
            time.sleep(0.01)
            watching.rollback()
        first(uow)
        uow.commit()
    waiting.join(60)
    assert not waiting.is_alive()
    engine.dispose()
    return failed


@pytest.mark.parametrize(
    "act",
    [
        lambda store: webhooks.send_test(store, 1, a_cause()),
        lambda store: webhooks.redeliver(store, 1, 1, a_cause()),
        lambda store: webhooks.rotate_secret(store, 1, webhooks.LONGEST_OVERLAP, SEAL, a_cause()),
        lambda store: webhooks.replace_webhook(store, 1, wanted("other"), Allowed(), a_cause()),
        lambda store: webhooks.delete_webhook(store, 1, a_cause()),
    ],
)
def test_one_that_was_deleted_meanwhile_is_not_there(store, postgres_url, act) -> None:
    (failure,) = while_another_changes(store, postgres_url, lambda uow: uow.webhooks.remove(1), lambda: act(store))

    assert isinstance(failure, NotFound)


def test_a_name_that_was_taken_meanwhile_is_taken(store, postgres_url) -> None:
    def create() -> None:
        webhooks.create_webhook(store, wanted("bell"), SEAL, Allowed(), a_cause())

    def rename(uow: Any) -> None:
        uow.webhooks.save(webhooks.revised(uow.webhooks.get(1), wanted("bell")))

    (failure,) = while_another_changes(store, postgres_url, rename, create)

    assert isinstance(failure, InvalidInput)
    assert len(webhooks.list_webhooks(store)) == 2


def test_the_log_tells_what_was_changed_and_not_what_was_seen(store, postgres_url) -> None:
    def narrow(uow: Any) -> None:
        uow.webhooks.save(webhooks.revised(uow.webhooks.get(1), wanted("chat", flags=("dspex-bridge",))))

    def widen() -> None:
        webhooks.replace_webhook(store, 1, wanted("chat", tags=("bridge",)), Allowed(), a_cause())

    assert while_another_changes(store, postgres_url, narrow, widen) == []

    (entry,) = list_entries(store, "production", Filter(action=Action.WEBHOOK_SET)).items
    assert {each.path: (each.before, each.after) for each in entry.changes}["flags"] == (["dspex-bridge"], [])
