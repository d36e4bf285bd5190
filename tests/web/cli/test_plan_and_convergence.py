"""Plans and convergence at a shell, on the database and through a server."""

import json

import pytest

from tests.builders import a_flag_document, a_plan_document
from tests.web.cli.test_shell import read, throwbar

__all__ = ["throwbar"]  # the fixture


@pytest.fixture
def flags(throwbar) -> None:
    for key, plan in (("first", {**a_plan_document(1, 98), "start_at": "2026-02-01T09:00:00Z"}), ("second", None)):
        document = json.dumps(a_flag_document(key=key, plan=plan))
        assert throwbar("flag", "create", "--file", "-", input=document).exit_code == 0


def test_a_plan_is_copied_without_its_date(throwbar, flags) -> None:
    throwbar("rollout", "plan", "copy", "first", "second", "-m", "as before")

    copied = read(throwbar("rollout", "plan", "show", "second", "--json"))
    entry = read(throwbar("audit", "list", "--json"))[0]
    assert [stage["percent"] for stage in copied["stages"]] == [1, 98]
    assert "start_at" not in copied
    assert (entry["action"], entry["flag"], entry["reason"]) == ("plan:set", "second", "as before")


def test_a_plan_is_shown_and_set_again_as_it_was_shown(throwbar, flags) -> None:
    shown = read(throwbar("rollout", "plan", "show", "first", "--json"))
    told = throwbar("rollout", "plan", "set", "second", "-f", "-", input=json.dumps(shown))

    assert told.exit_code == 0
    assert "98" in told.stdout
    assert read(throwbar("rollout", "plan", "show", "second", "--json")) == shown


def test_a_plan_is_shown_with_the_modes_that_its_stages_name(throwbar, flags) -> None:
    stages = [{"percent": 0, "mode": "shadow", "shadow_percent": 5}, {"percent": 1}, {"percent": 9, "mode": "single"}]
    plan = {"stages": [{**each, "bake_seconds": 60} for each in stages]}
    throwbar("rollout", "plan", "set", "second", "-f", "-", input=json.dumps(plan))

    told = throwbar("rollout", "plan", "show", "second").stdout.splitlines()

    column = told[0].index("mode")
    assert [line[column:] for line in told[1:]] == ["shadow 5 %", "shadow", "single"]
    assert "mode" not in throwbar("rollout", "plan", "show", "first").stdout


def test_a_plan_that_is_not_there_cannot_be_copied(throwbar, flags) -> None:
    before = read(throwbar("rollout", "plan", "show", "first", "--json"))
    refused = throwbar("rollout", "plan", "copy", "second", "first")

    assert refused.exit_code != 0
    assert "'second' has no rollout plan to copy" in refused.output
    assert read(throwbar("rollout", "plan", "show", "first", "--json")) == before


@pytest.mark.parametrize("group", ["flag", "rollout"])
def test_convergence_is_told_in_the_sentence_of_the_page(throwbar, flags, group) -> None:
    told = throwbar(group, "convergence", "first")

    assert (told.exit_code, told.stdout) == (0, "first: no instance reports.\n")


def test_a_plan_is_copied_while_the_rollout_is_paused_and_not_while_it_runs(throwbar, flags) -> None:
    throwbar("rollout", "plan", "copy", "first", "second")
    throwbar("flag", "enable", "second")
    throwbar("rollout", "start", "second")
    assert (
        throwbar("rollout", "plan", "set", "first", "-f", "-", input=json.dumps(a_plan_document(2, 50))).exit_code == 0
    )

    assert "pause it first" in throwbar("rollout", "plan", "copy", "first", "second").output
    throwbar("rollout", "pause", "second")
    assert throwbar("rollout", "plan", "copy", "first", "second").exit_code == 0
    assert read(throwbar("rollout", "plan", "show", "second", "--json"))["stages"][0]["percent"] == 2
