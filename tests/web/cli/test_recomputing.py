"""What the shell recomputes and rehearses, on the database and through a server."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import update
from werkzeug.serving import make_server

from controlplane.clock import utc_now
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.store.tables import buckets
from controlplane.usecases import flags, rollouts
from controlplane.usecases.leading import lead
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE, Life
from web.app import wire
from web.cli import main


@pytest.fixture
def store(migrated_sqlite_url):
    with open_store(migrated_sqlite_url) as opened:
        prepare(opened, Settings(database_url=migrated_sqlite_url), NOW)
        yield opened


@pytest.fixture(params=["on the database", "through a server"])
def throwbar(request, routes, store, sqlite_url, monkeypatch) -> Iterator:
    """Run a command; the options that reach the plane are added."""
    monkeypatch.setenv("THROWBAR_DATABASE_URL", sqlite_url)
    if request.param == "on the database":
        yield lambda *words: CliRunner().invoke(main, words)
        return
    secret = create_token(store, TokenRequest(TokenKind.ADMIN, "shell", role=Role.VIEWER), a_cause())[1]
    server = make_server("127.0.0.1", 0, wire(routes, store, Settings(database_url=sqlite_url), utc_now), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    reach = ("--url", f"http://127.0.0.1:{server.port}", "--token", secret)
    yield lambda *words: CliRunner().invoke(main, [*words, *reach])
    server.shutdown()
    server.server_close()


@pytest.fixture
def life(store) -> Life:
    """A rollout that was healthy for 40 seconds, failed for 20, and was taken back."""
    flags.create_flag(store, "production", a_flag_document(guardrails={"min_samples": 100}), a_cause())
    rollouts.start(store, HERE, a_cause())
    lease = lead(store, "test", NOW, timedelta(days=3650))
    assert lease
    lived = Life(store, lease)
    lived.live(4)
    lived.live(3, errors={"timeout": 20})
    assert flags.get_flag(store, HERE).rolled_back
    return lived


def test_a_rollback_is_recomputed(throwbar, life):
    told = throwbar("evidence", "dspex-bridge")
    answer = json.loads(throwbar("evidence", "dspex-bridge", "--json").stdout)
    decision = answer["decisions"][-1]

    assert (told.exit_code, answer["same"], decision["difference"]) == (0, True, 0)
    assert "rollout:roll_back" in told.stdout
    assert "simple_predict  errors" in told.stdout
    assert "limit 1 in 100." in told.stdout
    assert "\N{REPLACEMENT CHARACTER}" not in told.stdout


def test_one_decision_is_asked_for_by_its_entry_or_its_instant(throwbar, life):
    entry = json.loads(throwbar("evidence", "dspex-bridge", "--json").stdout)["decisions"][-1]["entry"]

    alone = json.loads(throwbar("evidence", "dspex-bridge", "--at", str(entry), "--json").stdout)
    early = json.loads(throwbar("evidence", "dspex-bridge", "--at", "2026-01-05T09:00:30", "--json").stdout)

    assert [each["entry"] for each in alone["decisions"]] == [entry]
    assert early["decisions"] == []
    assert max(early["series"]["times"]) <= int(NOW.timestamp()) + 30


def test_a_decision_that_its_rows_do_not_bear_out_ends_with_status_1(throwbar, life, store):
    with store.engine.begin() as connection:
        connection.execute(update(buckets).where(buckets.c.side == "candidate").values(bad_keys=1))

    told = throwbar("evidence", "dspex-bridge", "--attempt", "1")

    assert told.exit_code == 1
    assert "DIFFERS" in told.stdout
    assert "the rows are not those that were judged" in told.stdout


def policy_file(folder, **fields) -> str:
    path = folder / "policy.json"
    path.write_text(json.dumps(fields))
    return str(path)


def test_another_policy_is_tried_on_stored_telemetry(throwbar, life, tmp_path):
    policy = policy_file(tmp_path, min_samples=100, on_breach="report")

    told = throwbar("backtest", "dspex-bridge", "--policy", policy, "--since", "2026-01-05T09:00:10")
    answer = json.loads(throwbar("backtest", "dspex-bridge", "--policy", policy, "--json").stdout)

    assert told.exit_code == 0
    assert "would have reported a rollback" in told.stdout
    assert "snakepit failed for" in told.stdout
    assert [each["kind"] for each in answer["events"]][-1] == "report"
    assert not answer["rolled_back_at"]


def test_a_policy_with_a_misspelt_limit_is_refused(throwbar, life, tmp_path):
    told = throwbar("backtest", "dspex-bridge", "--policy", policy_file(tmp_path, max_eror_rate=0.1))

    assert told.exit_code == 1
    assert "guardrails.max_eror_rate: is not a known field" in told.stderr


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("dspex-bridge", "--attempt", "7"), 1, "there is no attempt 7 of 'dspex-bridge': it has had 1"),
        (("dspex-bridge", "--at", "1"), 1, "audit entry 1 is no decision of the scheduler"),
        (("dspex-bridge", "--at", "noon"), 2, "--at is an audit entry's id, or an instant"),
        (("none",), 1, "there is no flag 'none'"),
    ],
)
def test_what_never_was_is_told_in_one_sentence(throwbar, life, words, status, sentence):
    told = throwbar("evidence", *words)

    assert told.exit_code == status
    assert sentence in told.stderr
