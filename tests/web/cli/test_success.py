"""The shell's words for a migration's checklists, its test results and its report."""

import json
import re

from tests.web.cli.test_shell import bridge, read, throwbar

__all__ = ["bridge", "throwbar"]  # fixtures


def test_an_item_is_ticked_off_and_a_start_that_waits_for_the_others_is_refused(throwbar, bridge):
    found = read(throwbar("checklist", "set", bridge, "usage", "--done", "--evidence", "see the wiki", "--json"))
    assert found["items"][0]["done"] is True

    found = read(throwbar("checklist", "require", bridge, "--items", "--json"))
    assert len(found["open"]) == 4
    refused = throwbar("rollout", "start", bridge)
    assert refused.exit_code == 1
    assert "its checklist asks for: Document all custom error handling" in refused.output


def test_clean_up_points_are_a_list_of_their_own(throwbar, bridge):
    read(throwbar("checklist", "set", bridge, "archive", "--after", "--owner", "ann", "--json"))

    shown = throwbar("checklist", "show", bridge, "--after")

    assert re.search(r"archive +open +ann +Archive the code of the migration", shown.output)


def test_a_pipeline_attaches_a_result_and_the_report_says_so(throwbar, bridge, tmp_path):
    told = throwbar("checklist", "attach", bridge, "--commit", "4f2a91c", "--result", "failed")
    assert told.output.startswith("tests failed at 4f2a91c, attached by ")

    file = tmp_path / "report.html"
    result = throwbar("report", bridge, "--html", str(file), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["outcome"] == "fail"
    assert "tests failed at 4f2a91c" in file.read_text("utf-8")


def test_the_finish_line_ends_with_one_while_the_baseline_cannot_go(throwbar, bridge):
    result = throwbar("finish-line", bridge)

    assert result.exit_code == 1
    assert "dspex-bridge: the migration is not over" in result.output
    assert "left to do: Update the documentation" in result.output


def test_stale_flags_are_listed(throwbar, bridge):
    assert throwbar("stale").output == "No flag looks forgotten.\n"


def test_finishing_may_wait_for_the_criteria_and_is_done_despite_them_with_a_reason(throwbar, bridge):
    plan = json.dumps({"stages": [{"percent": 98, "bake_seconds": 60}]})
    assert throwbar("rollout", "plan", "set", bridge, "--file", "-", input=plan).exit_code == 0
    asked = throwbar("checklist", "require", bridge, "--criteria")
    assert "Finishing waits for every success criterion." in asked.output
    throwbar("rollout", "start", bridge)

    refused = throwbar("rollout", "finish", bridge)
    assert refused.exit_code == 1
    assert "success criteria have not passed" in refused.output

    found = read(throwbar("rollout", "finish", bridge, "--despite-criteria", "-m", "the pool is sold", "--json"))
    assert found["rollout"]["state"] == "finished"
