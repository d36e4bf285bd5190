"""The shell: the same commands on the database and on a server, one sentence when it does not work."""

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from controlplane.clock import utc_now
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause, a_data_flag_document, a_flag_document
from web.app import wire
from web.cli import COMMANDS, main


@pytest.fixture(params=["on the database", "through a server"])
def throwbar(request, routes, migrated_sqlite_url, monkeypatch) -> Iterator:
    """Run a command; the options that reach the plane are added."""
    monkeypatch.setenv("THROWBAR_DATABASE_URL", migrated_sqlite_url)
    settings = Settings(database_url=migrated_sqlite_url)
    with open_store(migrated_sqlite_url) as store:
        prepare(store, settings, NOW)
        reach: tuple[str, ...] = ()
        server = None
        if request.param == "through a server":
            secret = create_token(store, TokenRequest(TokenKind.ADMIN, "shell", role=Role.ADMIN), a_cause())[1]
            server = make_server("127.0.0.1", 0, wire(routes, store, settings, utc_now), threaded=True)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            reach = ("--url", f"http://127.0.0.1:{server.port}", "--token", secret)

        def run(*words: str, **rest):
            return CliRunner().invoke(main, [*words, *reach], **rest)

        yield run
        if server:
            server.shutdown()
            server.server_close()


@pytest.fixture
def bridge(throwbar) -> str:
    document = json.dumps(a_flag_document())
    assert throwbar("flag", "create", "--file", "-", "-m", "the migration", input=document).exit_code == 0
    return "dspex-bridge"


def read(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_percent_is_set_as_it_is_said(throwbar, bridge) -> None:
    told = throwbar("flag", "share", bridge, "simple_predict", "5", "-m", "first users")
    shown = read(throwbar("flag", "show", bridge, "--json"))
    entry = read(throwbar("audit", "list", "--json"))[0]

    assert told.stdout == "simple_predict: 5 % to snakepit.\n"
    assert shown["operations"]["simple_predict"]["percent"] == 5
    assert (entry["action"], entry["reason"]) == ("share:set", "first users")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("flag", "share", "dspex-bridge", "echo", "101"), "percent: must be between 0 and 100"),
        (("flag", "share", "dspex-bridge", "echo", "5.0001"), "percent: has steps of 0.001 %"),
        (("flag", "share", "dspex-bridge", "ecko", "5"), "no operation 'ecko'"),
        (("flag", "show", "none"), "there is no flag 'none'"),
        (("flag", "create", "dspex-bridge", "--baseline", "a", "--candidate", "b"), "exists already"),
        (("flag", "create", "other", "--baseline", "a", "--candidate", "a"), "candidate: "),
        (("rollout", "resume", "dspex-bridge"), "not paused"),
        (("environment", "create", "no spaces"), "name: "),
        (("token", "revoke", "999"), "there is no token 999"),
        (("user", "link", "nobody@example.org"), "no such person"),
        (("flag", "list", "-e", "nowhere"), "nowhere"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(throwbar, bridge, words, sentence) -> None:
    before = read(throwbar("audit", "verify", "--json"))

    result = throwbar(*words)

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert read(throwbar("audit", "verify", "--json")) == before


def test_the_templates_of_plans_are_told_and_a_plan_of_theirs_is_taken_as_it_is(throwbar) -> None:
    assert "shadow" in throwbar("rollout", "templates").stdout

    found = {each["name"]: each["plan"] for each in read(throwbar("rollout", "templates", "--json"))["items"]}
    document = json.dumps(a_flag_document(plan=found["switch"]))

    made = read(throwbar("flag", "create", "--file", "-", "--json", input=document))
    assert made["plan"]["stages"] == found["switch"]["stages"]


def test_data_are_moved_and_completed_with_the_key_at_a_shell(throwbar) -> None:
    document = json.dumps(a_data_flag_document(guardrails=None))
    assert throwbar("flag", "create", "--file", "-", input=document).exit_code == 0
    for verb in ("start", *["advance"] * 4):
        assert throwbar("rollout", verb, "dspex-bridge").exit_code == 0
    shown = throwbar("rollout", "show", "dspex-bridge").stdout
    assert "phase: ramp down" in shown
    assert "A rollback loses nothing: python_pool_v2 has every write" in shown
    assert "rollout advance KEY --confirm KEY" in throwbar("rollout", "plan", "show", "dspex-bridge").stdout

    refused = throwbar("rollout", "advance", "dspex-bridge")
    nothing = throwbar("rollout", "reconciled", "dspex-bridge", "--side", "baseline", "-m", "copied")
    over = read(throwbar("rollout", "advance", "dspex-bridge", "--confirm", "dspex-bridge", "--json"))

    assert "confirm: must be 'dspex-bridge'" in refused.stderr
    assert "nothing is missing in the baseline's store" in nothing.stderr
    assert over["rollout"]["phase"] == "complete"
    assert over["rollout"]["way_back"].startswith("NO WAY BACK")
    assert "NO WAY BACK" in throwbar("rollout", "show", "dspex-bridge").stdout


def test_a_flag_lives_through_its_rollout(throwbar, bridge) -> None:
    for verb, state in (
        ("start", "running"),
        ("advance", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("abort", "aborted"),
        ("start", "running"),
        ("rollback", "rolled_back"),
        ("unlock", "idle"),
    ):
        assert read(throwbar("rollout", verb, bridge, "--json"))["rollout"]["state"] == state

    assert "stage 1 of 4" in throwbar("rollout", "show", bridge).stdout


def test_the_kill_switch_and_the_rollback_say_where_calls_go(throwbar, bridge) -> None:
    assert "every call goes to python_pool_v2" in throwbar("flag", "disable", bridge).stdout
    assert throwbar("flag", "enable", bridge).exit_code == 0
    assert "every call goes to python_pool_v2" in throwbar("flag", "rollback", bridge, "--operation", "echo").stdout
    assert read(throwbar("rollout", "show", bridge, "--json"))["rolled_back_operations"] == ["echo"]


def test_flags_environments_and_snapshots_are_listed(throwbar, bridge) -> None:
    throwbar("environment", "create", "staging")

    assert [each["key"] for each in read(throwbar("flag", "list", "--json"))] == [bridge]
    assert "There are no flags yet." in throwbar("flag", "list", "-e", "staging").stdout
    assert [each["name"] for each in read(throwbar("environment", "list", "--json"))] == ["production", "staging"]
    assert bridge in json.loads(throwbar("snapshot", "show").stdout)["flags"]


def test_tokens_and_people_are_managed(throwbar) -> None:
    secret = throwbar("token", "create", "bridge-api", "--kind", "sdk").stdout.strip()
    token = read(throwbar("token", "list", "--json"))[-1]
    ann = read(throwbar("user", "add", "Ann@example.org", "--role", "operator", "--json"))
    link = throwbar("user", "link", "ann@example.org", "--at", "https://throwbar.example.org/").stdout

    assert secret.startswith("tb_sdk_")
    assert token["hint"].endswith(secret[-4:])
    assert throwbar("token", "revoke", str(token["id"])).exit_code == 0
    assert ann["roles"] == {"*": "operator"}
    assert link.startswith("https://throwbar.example.org/sign-in/tb_link_")
    assert "operator (everywhere)" in throwbar("user", "list").stdout


def test_somebody_is_shut_out_and_let_in_again(throwbar) -> None:
    throwbar("user", "add", "boss@example.org", "--role", "admin")
    throwbar("user", "add", "ann@example.org")

    out = throwbar("user", "disable", "Ann@example.org", "-m", "has left")
    last = throwbar("user", "disable", "boss@example.org")
    listed = {each["email"]: each["disabled_at"] for each in read(throwbar("user", "list", "--json"))}
    again = throwbar("user", "enable", "ann@example.org")

    assert out.stdout == "ann@example.org is disabled: every session, link and token of theirs has ended.\n"
    assert (last.exit_code, "is the last administrator" in last.stderr) == (1, True)
    assert (listed["ann@example.org"] is None, listed["boss@example.org"]) == (False, None)
    assert again.stdout.startswith("ann@example.org may sign in again.")
    assert "no such person" in throwbar("user", "disable", "nobody@example.org").stderr


def test_the_audit_log_is_exported_whole(throwbar, bridge) -> None:
    throwbar("flag", "disable", bridge, "-m", "=1+1\x1b[2J")
    length = read(throwbar("audit", "verify", "--json"))["length"]

    lines = throwbar("audit", "export").stdout.splitlines()
    rows = list(csv.DictReader(io.StringIO(throwbar("audit", "export", "--format", "csv").stdout)))

    assert [json.loads(line)["id"] for line in lines] == list(range(length, 0, -1))
    assert len(rows) == length
    assert rows[0]["reason"].startswith("'=1+1")
    assert "\x1b" not in throwbar("audit", "list").stdout
    assert read(throwbar("audit", "list", "--json", "--flag", bridge, "--since", "2020-01-01", "--limit", "1"))


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield from commands(command, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"), list(commands(main)), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_helps(path, command) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])

    assert result.exit_code == 0
    assert command.help
    options = {name for each in command.params for name in each.opts}
    assert "--json" in options or path[-1] in {"serve", "scheduler"}


def test_the_help_names_every_command() -> None:
    told = CliRunner().invoke(main, ["--help"]).stdout

    assert all(f"  {name} " in told for name in COMMANDS)


def test_what_is_no_command_is_wrong_use() -> None:
    assert CliRunner().invoke(main, ["flog"]).exit_code == 2
    assert CliRunner().invoke(main, ["flag", "share"]).exit_code == 2
    assert CliRunner().invoke(main, ["flag", "list", "--url", "http://127.0.0.1"]).exit_code == 2


def test_the_database_is_upgraded_and_its_version_shown(sqlite_url, monkeypatch) -> None:
    monkeypatch.setenv("THROWBAR_DATABASE_URL", sqlite_url)
    shell = CliRunner()

    early = shell.invoke(main, ["flag", "list"])
    empty = shell.invoke(main, ["db", "current"])
    upgraded = shell.invoke(main, ["db", "upgrade"])
    after = shell.invoke(main, ["db", "current", "--json"])

    assert (early.exit_code, empty.exit_code) == (1, 1)
    assert "run `throwbar db upgrade`" in early.stderr
    assert upgraded.exit_code == 0
    state = read(after)
    assert state["current"] == state["newest"]
    assert shell.invoke(main, ["flag", "list"]).exit_code == 0


def test_a_forgotten_password_is_replaced_from_the_shell(sqlite_url, monkeypatch) -> None:
    monkeypatch.setenv("THROWBAR_DATABASE_URL", sqlite_url)
    shell = CliRunner()
    shell.invoke(main, ["db", "upgrade"])
    shell.invoke(main, ["user", "add", "ann@example.org"])

    short = shell.invoke(main, ["user", "reset-password", "ann@example.org", "--password", "short"])
    good = shell.invoke(main, ["user", "reset-password", "ann@example.org"], input="long enough now\nlong enough now\n")

    assert short.exit_code == 1
    assert "at least 12 characters" in short.stderr
    assert good.exit_code == 0
    assert "long enough now" not in good.output
    assert read(shell.invoke(main, ["user", "list", "--json"]))[0]["has_password"] is True


@pytest.mark.parametrize(
    ("setting", "value", "code", "sentence"),
    [
        ("THROWBAR_DATABASE_URL", "mysql://x", 2, "THROWBAR_DATABASE_URL"),
        ("THROWBAR_TYPO", "x", 2, "THROWBAR_TYPO is not a setting"),
        ("THROWBAR_DATABASE_URL", "postgresql+psycopg://u:hunter2@127.0.0.1:1/x", 1, "does not answer"),
        ("THROWBAR_DATABASE_URL", "sqlite:////dev/null/x.db", 1, "does not answer"),
    ],
)
def test_what_cannot_be_reached_is_told_without_a_traceback(monkeypatch, setting, value, code, sentence) -> None:
    monkeypatch.setenv(setting, value)

    result = CliRunner().invoke(main, ["flag", "list"])

    assert result.exit_code == code
    assert sentence in result.stderr
    assert "hunter2" not in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "file:///etc/passwd", "127.0.0.1:8000"])
def test_a_server_that_is_none_is_told_in_one_sentence(url) -> None:
    result = CliRunner().invoke(main, ["flag", "list", "--url", url, "--token", "tb_admin_secret"])

    assert result.exit_code == 1
    assert url in result.stderr
    assert "tb_admin_secret" not in result.output


def test_a_command_about_flags_does_not_load_the_web(sqlite_url) -> None:
    program = (
        "import sys; from web.cli import main\n"
        "try: main(['flag', 'list'])\n"
        "except SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'flask', 'werkzeug', 'uvicorn', 'apscheduler'}))"
    )
    environment = {"THROWBAR_DATABASE_URL": sqlite_url, "PATH": "/usr/bin:/bin"}
    root = Path(__file__).resolve().parents[3]

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=root, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_a_migration_of_a_configuration_file_is_imported(throwbar, tmp_path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        'use_snakepit_backend = true\nsnakepit_operations = ["echo"]\nsnakepit_percentage = 1\nport = 4000\n'
    )

    tried = throwbar("import-config", str(file), "--dry-run")
    nothing = read(throwbar("flag", "list", "--json"))
    made = throwbar("import-config", str(file))
    assert made.exit_code == 0, made.output
    flag = read(throwbar("flag", "show", "dspex-bridge", "--json"))
    again = throwbar("import-config", str(file))

    assert "Nothing was created." in tried.stdout
    assert nothing == []
    assert "passed over: port" in made.stdout
    assert (flag["enabled"], flag["operations"]["echo"]["percent"]) == (True, 1)
    assert read(throwbar("audit", "list", "--json"))[0]["reason"] == "imported from config.toml"
    assert again.exit_code == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("c.toml", "a = ", "is not valid TOML"),
        ("c.json", "{", "is not valid JSON"),
        ("c.json", '{"latency_threshold_ms": "1 s"}', "latency_threshold_ms: must be a number"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told_in_one_sentence(throwbar, tmp_path, name, text, sentence) -> None:
    file = tmp_path / name
    file.write_text(text)

    result = throwbar("import-config", str(file))

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_happens_at_a_set_time_is_appointed_listed_and_called_off(throwbar, bridge) -> None:
    at = ("--at", "2100-01-01T09:00:00Z")
    made = throwbar("appointment", "make", bridge, "percent", "--operation", "echo", "--percent", "5", *at)
    listed = throwbar("appointment", "list", bridge)
    called_off = throwbar("appointment", "cancel", bridge, "1")
    scheduled = read(throwbar("rollout", "start", bridge, *at, "--json"))

    assert made.stdout == "1: percent echo 5 % at 2100-01-01T09:00:00+00:00.\n"
    assert "to come" in listed.stdout
    assert called_off.exit_code == 0
    assert "cancelled by" in throwbar("appointment", "list", bridge).stdout
    assert scheduled["rollout"]["state"] == "scheduled"


def test_a_freeze_is_added_listed_and_taken_back(throwbar) -> None:
    span = ("--from", "2099-12-20T00:00:00Z", "--until", "2100-01-07T00:00:00Z")

    assert throwbar("freeze", "add", "Christmas", *span).exit_code == 0
    assert "Christmas" in throwbar("freeze", "list").stdout
    assert "Christmas is over" in throwbar("freeze", "remove", "1").stdout
    assert "there is no freeze 1" in throwbar("freeze", "remove", "1").stderr
