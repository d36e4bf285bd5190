"""Is every committed change told, whatever happens to the server meanwhile; and does it end in time with an endpoint that hangs?"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.clock import utc_now
from controlplane.domain.destination import read_allowed
from controlplane.domain.webhook import Selection, Wanted
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases import flags, webhooks
from controlplane.usecases.changing import Place
from controlplane.usecases.sealing import Seal
from controlplane.usecases.starting import prepare
from tests.builders import a_cause, a_flag_document
from tests.infrastructure.server_process import ServerProcess
from tests.infrastructure.webhook_receiver import Answer, Receiver, verified
from web.cli.entry import make_office

HERE = Place("production", "dspex-bridge")
KEY = "a secret key of the tests"  # the one that the process is given


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.close()


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    with open_store(migrated_url) as opened:
        prepare(opened, Settings(database_url=migrated_url, secret_key=KEY), utc_now())
        yield opened


@pytest.fixture
def secret(store: Store, receiver: Receiver) -> str:
    wanted = Wanted("chat", receiver.url, Selection(actions=("flag:*",)))
    return webhooks.create_webhook(store, wanted, Seal(KEY), read_allowed("127.0.0.1"), a_cause(utc_now()))[1]


def a_server(folder: Path, database_url: str) -> ServerProcess:
    return ServerProcess(folder, database_url, "--port", "0", tick_seconds="0.2", webhook_allow_private="127.0.0.1")


@pytest.mark.slow
def test_killed_before_it_could_write_down_what_it_sent_it_tells_everything_once_more_at_least(
    tmp_path: Path, migrated_url: str, store: Store, receiver: Receiver, secret: str
) -> None:
    with a_server(tmp_path, migrated_url) as server:
        server.until_ready()
        receiver.answers = [Answer(behave=lambda _: server.send_signal(signal.SIGKILL))]
        flags.create_flag(store, "production", a_flag_document(), a_cause(utc_now()))
        receiver.wait_for(1)
        server.wait()
    receiver.answers = [Answer()]
    flags.disable_flag(store, HERE, a_cause(utc_now()))  # committed while nobody is there to tell it
    with a_server(tmp_path, migrated_url) as server:
        server.until_ready()
        server.until(lambda: [each.state for each in webhooks.list_deliveries(store, 1).items] == ["delivered"] * 2)

    told = [verified(each, secret)["type"] for each in receiver.got]
    # Once more at least: a scheduler that is too slow to keep its lease tells what it could not write down again.
    assert told.count("throwbar.flag.create") >= 2
    assert list(dict.fromkeys(told)) == ["throwbar.flag.create", "throwbar.flag.disable"]
    first, again = receiver.got[:2]
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body


@pytest.mark.slow
def test_told_to_stop_it_does_not_wait_for_an_endpoint_that_hangs(
    tmp_path: Path, migrated_url: str, store: Store, receiver: Receiver, secret: str
) -> None:
    receiver.answers = [Answer(behave=lambda handler: handler.rfile.read(1))]
    with a_server(tmp_path, migrated_url) as server:
        server.until_ready()
        flags.create_flag(store, "production", a_flag_document(), a_cause(utc_now()))
        receiver.wait_for(1)
        server.send_signal(signal.SIGTERM)

        assert server.wait() == 0

    (delivery,) = webhooks.list_deliveries(store, 1).items
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    assert json.loads(receiver.got[0].body)["subject"] == "dspex-bridge"


def test_a_scheduler_without_the_secret_key_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = Settings(database_url="postgresql+psycopg://throwbar@db.internal/throwbar")

    assert make_office(elsewhere) is None
    assert "webhooks are not told of anything by this scheduler: THROWBAR_SECRET_KEY" in caplog.text
