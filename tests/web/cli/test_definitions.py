"""Flags as a file under version control: written, and made as it says, on the database and through a server."""

import json

import pytest

from tests.builders import a_feature_document, a_flag_document, a_plan_document
from tests.web.cli.test_shell import read, throwbar

__all__ = ["throwbar"]  # the fixture


@pytest.fixture
def exported(throwbar) -> dict:
    for key in ("second", "first"):
        document = json.dumps(
            a_flag_document(key=key, constraints=[{"operation": "echo", "not_above": "simple_predict"}])
        )
        assert throwbar("flag", "create", "--file", "-", input=document).exit_code == 0
    return read(throwbar("export"))


def apply(throwbar, document: dict, *options: str):
    return throwbar("apply", "-", "--json", *options, input=json.dumps(document))


def outcomes(result) -> dict[str, tuple[str, list[str]]]:
    return {each["flag"]: (each["outcome"], each["fields"]) for each in read(result)["items"]}


def test_what_was_exported_is_applied_without_any_change(throwbar, exported) -> None:
    entries = len(read(throwbar("audit", "list", "--json")))

    assert [flag["key"] for flag in exported["flags"]] == ["first", "second"]
    assert outcomes(apply(throwbar, exported)) == {"first": ("as it is", []), "second": ("as it is", [])}
    assert len(read(throwbar("audit", "list", "--json"))) == entries


def test_flags_that_are_not_there_are_created_and_those_that_differ_are_changed(throwbar, exported) -> None:
    first, second = exported["flags"]
    document = {"schema": 1, "flags": [{**first, "owner": "search"}, {**second, "key": "third"}]}

    assert outcomes(apply(throwbar, document, "-m", "from the repository")) == {
        "first": ("changed", ["owner"]),
        "third": ("created", []),
    }
    assert read(throwbar("flag", "show", "first", "--json"))["owner"] == "search"
    assert {flag["key"] for flag in read(throwbar("export"))["flags"]} == {"first", "second", "third"}
    entry = read(throwbar("audit", "list", "--flag", "first", "--json"))[0]
    assert entry["reason"] == "from the repository"


def test_a_dry_run_tells_the_same_and_changes_nothing(throwbar, exported) -> None:
    document = {"schema": 1, "flags": [{**exported["flags"][0], "owner": "search"}, a_flag_document(key="third")]}

    told = outcomes(apply(throwbar, document, "--dry-run"))

    assert told == {"first": ("changed", ["owner"]), "third": ("created", [])}
    assert read(throwbar("export")) == exported


def test_what_a_rollout_moves_is_left_where_it_is_while_the_rest_is_applied(throwbar, exported) -> None:
    throwbar("rollout", "start", "first")
    document = {"schema": 1, "flags": [{**exported["flags"][0], "description": "said anew"}]}

    assert outcomes(apply(throwbar, document)) == {"first": ("changed", ["description"])}
    shown = read(throwbar("flag", "show", "first", "--json"))
    assert (shown["operations"]["echo"]["percent"], shown["rollout"]["state"]) == (1, "running")


def test_percents_are_applied_where_that_is_asked_for_and_no_rollout_runs(throwbar, exported) -> None:
    document = json.loads(json.dumps(exported))
    for flag in document["flags"]:
        for operation in flag["operations"].values():
            operation["percent"] = 5

    assert outcomes(apply(throwbar, document))["second"] == ("as it is", [])
    assert outcomes(apply(throwbar, document, "--percents"))["second"][0] == "changed"
    assert read(throwbar("flag", "show", "second", "--json"))["operations"]["echo"]["percent"] == 5


def test_one_flag_that_cannot_be_accepted_stops_all_of_them_with_its_field(throwbar, exported) -> None:
    wrong = a_flag_document(key="third", plan=a_plan_document(10, 1))
    document = {"schema": 1, "flags": [{**exported["flags"][0], "owner": "search"}, wrong, {"key": "fourth"}]}

    refused = apply(throwbar, document)

    assert refused.exit_code == 1
    assert "flags.1.plan.stages.1.percent" in refused.output
    assert "flags.2.baseline" in refused.output
    assert read(throwbar("export")) == exported


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_one_flag_of_another_kind_stops_all_of_them_before_anything_is_changed(throwbar, exported, options) -> None:
    first, second = exported["flags"]
    document = {"schema": 1, "flags": [{**first, "owner": "search"}, a_feature_document(key=second["key"])]}

    refused = apply(throwbar, document, *options)

    assert refused.exit_code == 1
    assert "flags.1.kind: is feature, and 'second' is a migration: a kind cannot be changed" in refused.stderr
    assert read(throwbar("export")) == exported


@pytest.mark.parametrize("document", [{}, {"flags": []}, {"schema": 2, "flags": []}, {"schema": 1, "flags": {}}])
def test_a_file_of_something_else_is_refused(throwbar, document) -> None:
    refused = apply(throwbar, document)

    assert refused.exit_code == 1
    assert "schema" in refused.output


def test_a_key_that_stands_twice_is_refused(throwbar, exported) -> None:
    assert "must not name a key twice" in apply(throwbar, {**exported, "flags": exported["flags"] * 2}).output


def test_an_export_goes_to_a_file_that_apply_reads(throwbar, exported, tmp_path) -> None:
    told = throwbar("export", "-o", str(tmp_path / "flags.json"))

    assert told.output.endswith("flags.json: 2 flags.\n")
    assert json.loads((tmp_path / "flags.json").read_text()) == exported
    assert throwbar("apply", str(tmp_path / "flags.json")).exit_code == 0
