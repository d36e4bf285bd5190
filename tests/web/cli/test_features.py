"""Features at the shell: made from options, shown with their variants, and kept in a file like any flag."""

import json
import threading

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from controlplane.clock import utc_now
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from web.app import wire
from web.cli import main

SWITCH = ("--kind", "feature", "--variant", "on=true", "--variant", "off=false", "--default-variant", "off")
PRO = '{"if": [{"==": [{"var": "tier"}, "pro"]}, "on", null]}'


@pytest.fixture(params=["on the database", "through a server"])
def throwbar(request, routes, migrated_sqlite_url, monkeypatch):
    monkeypatch.setenv("THROWBAR_DATABASE_URL", migrated_sqlite_url)
    settings = Settings(database_url=migrated_sqlite_url)
    with open_store(migrated_sqlite_url) as store:
        prepare(store, settings, NOW)
        if request.param == "on the database":
            yield lambda *words, **rest: CliRunner().invoke(main, words, **rest)
            return
        secret = create_token(store, TokenRequest(TokenKind.ADMIN, "shell", role=Role.ADMIN), a_cause())[1]
        server = make_server("127.0.0.1", 0, wire(routes, store, settings, utc_now), threaded=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        reach = ("--url", f"http://127.0.0.1:{server.port}", "--token", secret)
        yield lambda *words, **rest: CliRunner().invoke(main, [*words, *reach], **rest)
        server.shutdown()
        server.server_close()


def test_a_feature_is_made_from_options_and_shown(throwbar) -> None:
    made = throwbar("flag", "create", "new-checkout", *SWITCH, "--targeting", PRO)
    shown = throwbar("flag", "show", "new-checkout").stdout

    assert made.exit_code == 0, made.output
    assert shown == (
        "new-checkout  2 variants, off by default  disabled  version 1\n"
        "  on                       true\n"
        "  off                      false\n"
        f"  targeting: {PRO}\n"
        "  rollout: no plan\n"
    )


def test_a_candidate_makes_it_move(throwbar) -> None:
    throwbar("flag", "create", "new-checkout", *SWITCH, "--candidate", "on")

    assert throwbar("flag", "share", "new-checkout", "default", "5").stdout == "default: 5 % to on.\n"
    assert "disabled: everybody gets off" in throwbar("flag", "disable", "new-checkout").stdout
    assert "rolled back: everybody gets off" in throwbar("flag", "rollback", "new-checkout").stdout


def test_values_are_json_or_text(throwbar) -> None:
    given = ("--variant", "a=blue", "--variant", 'b="gold"', "--variant", "c=red=ish")
    made = throwbar("flag", "create", "colour", "--kind", "feature", *given, "--default-variant", "a", "--json")

    assert json.loads(made.stdout)["variants"] == {"a": "blue", "b": "gold", "c": "red=ish"}


def test_targeting_is_set_and_taken_away(throwbar) -> None:
    throwbar("flag", "create", "new-checkout", *SWITCH)

    told = throwbar("flag", "target", "new-checkout", PRO, "-m", "professionals first").stdout
    none = throwbar("flag", "target", "new-checkout", "--none").stdout
    entries = json.loads(throwbar("audit", "list", "--flag", "new-checkout", "--json").stdout)

    assert told.splitlines()[-1] == f"  targeting: {PRO}"
    assert none.splitlines()[-1] == "  targeting: none"
    assert [(each["action"], each["reason"]) for each in entries[:2]] == [
        ("targeting:set", ""),
        ("targeting:set", "professionals first"),
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give either LOGIC, or --file, or --none"),
        (("{}", "--none"), "give either LOGIC"),
        (('{"if": [true, "onn"]}',), "targeting.if.1: 'onn' is not a variant"),
        (("[1]",), "must be an object"),
    ],
)
def test_wrong_targeting_is_one_sentence(throwbar, words, sentence) -> None:
    throwbar("flag", "create", "new-checkout", *SWITCH)

    result = throwbar("flag", "target", "new-checkout", *words)

    assert result.exit_code != 0
    assert sentence in result.output


def test_a_list_has_one_kind_where_that_is_wanted(throwbar) -> None:
    throwbar("flag", "create", "new-checkout", *SWITCH)
    throwbar("flag", "create", "bridge", "--baseline", "a", "--candidate", "b")

    assert [each["key"] for each in json.loads(throwbar("flag", "list", "--kind", "feature", "--json").stdout)] == [
        "new-checkout"
    ]


def test_an_export_makes_the_same_feature_again(throwbar, tmp_path) -> None:
    throwbar("flag", "create", "new-checkout", *SWITCH, "--targeting", PRO)
    file = tmp_path / "flags.json"

    assert throwbar("export", "-o", str(file)).exit_code == 0
    assert "as it is" in throwbar("apply", str(file)).stdout

    document = json.loads(file.read_text())
    document["flags"][0] |= {"key": "again", "targeting": None}
    file.write_text(json.dumps(document))

    assert json.loads(throwbar("apply", str(file), "--json").stdout)["items"] == [
        {"flag": "again", "outcome": "created", "fields": []}
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--variant", "on=true", "--baseline", "a", "--candidate", "b"), "--variant is for features: add --kind"),
        (("--targeting", "{}", "--baseline", "a", "--candidate", "b"), "--targeting is for features"),
        (("--kind", "feature", "--default-variant", "on"), "--variant is missing"),
        (("--kind", "feature", "--variant", "on", "--default-variant", "on"), "--variant on has no value"),
        (("--kind", "feature", "--variant", "on=true"), "default_variant: is missing"),
        ((*SWITCH, "--targeting", "{"), "not valid JSON"),
        ((*SWITCH, "--operation", "search"), "operations: need a candidate"),
    ],
)
def test_a_mistake_is_one_sentence(throwbar, words, sentence) -> None:
    result = throwbar("flag", "create", "new-checkout", *words)

    assert result.exit_code != 0
    assert sentence in result.output
