"""Can people find a flag, understand it, switch it and set its percents, with nothing but HTML?"""

import re
from datetime import timedelta

import pytest

from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_data_flag_document, a_flag_document, a_report
from tests.web.ui.visitor import FLAG, FLAGS, Visitor, visible

BRIDGE = Place("production", "dspex-bridge")


def test_home_is_the_list_of_the_first_environment(viewer: Visitor) -> None:
    assert viewer.get("/").headers["Location"] == FLAGS


def test_an_empty_environment_teaches_how_to_begin(operator: Visitor, viewer: Visitor) -> None:
    assert "Create a flag" in operator.text(FLAGS)
    assert "Create a flag" not in viewer.text(FLAGS)


def test_the_list_tells_shares_stage_health_and_the_last_change(store: Store, flag: None, viewer: Visitor) -> None:
    rollouts.start(store, BRIDGE, a_cause())

    told = viewer.text(FLAGS)

    for words in (
        "dspex-bridge",
        "simple_predict 1 %",
        "Stage 1 of 4",
        "Not enough data yet",
        "ann@example.org started the rollout",
    ):
        assert words in told


def test_only_what_is_held_is_told_in_yellow(store: Store, flag: None, viewer: Visitor) -> None:
    rollouts.start(store, BRIDGE, a_cause())
    assert "verdict inconclusive" not in viewer.get(FLAG).text

    taken = lead(store, "test", NOW, timedelta(days=1))
    assert taken
    tick(store, lambda: NOW + timedelta(minutes=10), Clockwork(), taken)

    for page in (FLAGS, FLAG):
        assert re.search(r'<span class="verdict inconclusive">.*?Inconclusive</span>', viewer.get(page).text)
    assert "dspex-bridge holds at 1" in viewer.text(FLAGS)


def test_what_needs_attention_stands_above_everything_else(store: Store, flag: None, viewer: Visitor) -> None:
    flags.create_flag(store, "production", a_flag_document(key="zebra"), a_cause())
    rollouts.roll_back(store, Place("production", "zebra"), a_cause())

    told = viewer.text(FLAGS)

    assert (
        told.index("Needs attention") < told.index("zebra") < told.index("Everything else") < told.index("dspex-bridge")
    )


def test_a_search_narrows_the_list_and_htmx_gets_the_rows_alone(store: Store, flag: None, viewer: Visitor) -> None:
    flags.create_flag(store, "production", a_flag_document(key="other"), a_cause())

    whole, part = viewer.get(f"{FLAGS}?q=other"), viewer.get(f"{FLAGS}?q=other", **{"HX-Request": "true"})

    assert "dspex-bridge" not in visible(whole)
    assert 'value="other"' in whole.text
    assert "<html" not in part.text
    assert "other" in visible(part)


def test_archived_flags_are_a_list_of_their_own(flag: None, operator: Visitor) -> None:
    operator.done(f"{FLAG}/archive", reason="moved")

    assert "dspex-bridge" not in operator.text(FLAGS)
    assert "dspex-bridge" in operator.text(f"{FLAGS}?archived=1")
    assert "Archived: no service is told about it" in operator.text(FLAG)


def test_the_kill_switch_works_and_says_what_it_did(store: Store, flag: None, operator: Visitor) -> None:
    told = operator.done(f"{FLAG}/disable", reason="pager at 3 a.m.")

    assert "Disabled: every call goes to the baseline." in told
    assert "pager at 3 a.m." in told
    assert not flags.get_flag(store, BRIDGE).enabled


def test_the_kill_switch_asks_for_no_version(store: Store, flag: None, operator: Visitor) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause())

    operator.done(f"{FLAG}/disable", expected="1")

    assert not flags.get_flag(store, BRIDGE).enabled


def test_a_percent_is_set_in_steps_of_a_thousandth(store: Store, flag: None, operator: Visitor) -> None:
    operator.done(f"{FLAG}/operations/echo", percent="0.125", expected="1")

    assert flags.get_flag(store, BRIDGE).operations["echo"].share == 125


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        ("101", "must be between 0 and 100"),
        ("lots", "must be a number"),
        (" ", "is empty: say how much goes to the candidate, from 0 to 100"),
        ("0.0001", "steps of 0.001"),
    ],
)
def test_a_percent_that_cannot_be_is_refused_in_words(flag: None, operator: Visitor, percent: str, words: str) -> None:
    refused = operator.post(f"{FLAG}/operations/echo", percent=percent, expected="1")

    assert refused.status_code == 422
    assert words in visible(refused)


def test_a_percent_set_on_an_older_version_shows_both_and_can_be_said_again(
    store: Store, flag: None, operator: Visitor
) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 10}, a_cause())

    stale = operator.post(f"{FLAG}/operations/echo", percent="5", expected="1", reason="slowly")

    assert stale.status_code == 412
    told = visible(stale)
    assert "ann@example.org set a percent" in told
    assert "10 %" in told
    assert "percent 5" in told
    for again in ('name="expected" value="2"', 'name="percent" value="5"', 'name="reason" value="slowly"'):
        assert again in stale.text


def test_an_operation_is_added_taken_back_alone_and_removed(store: Store, flag: None, operator: Visitor) -> None:
    operator.done(f"{FLAG}/operations", operation="embed", percent="0", expected="1")
    assert "embed" in flags.get_flag(store, BRIDGE).operations

    operator.done(f"{FLAG}/rollout/rollback", operation="embed")
    assert flags.get_flag(store, BRIDGE).operations["embed"].rolled_back

    operator.done(f"{FLAG}/operations/embed/remove")
    assert "embed" not in flags.get_flag(store, BRIDGE).operations


def test_an_earlier_version_is_brought_back_from_the_history(store: Store, flag: None, operator: Visitor) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 10}, a_cause())

    operator.done(f"{FLAG}/revert", to_version="1", expected="2")

    assert flags.get_flag(store, BRIDGE).operations["echo"].share == 0


def test_with_htmx_a_change_is_answered_by_the_parts_that_turned(flag: None, operator: Visitor) -> None:
    answer = operator.post(f"{FLAG}/disable", htmx=True)

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.count('hx-swap-oob="true"') == 9
    assert "Disabled: every call goes to" in visible(answer)


def test_with_htmx_a_refusal_touches_nothing_but_the_notice(flag: None, operator: Visitor) -> None:
    answer = operator.post(f"{FLAG}/rollout/pause", htmx=True)

    assert answer.status_code == 409
    assert answer.text.count('hx-swap-oob="true"') == 1
    assert "cannot pause" in visible(answer)


def test_the_live_parts_turn_out_of_band(flag: None, viewer: Visitor) -> None:
    answer = viewer.get(f"{FLAG}/live", **{"HX-Request": "true"})

    assert answer.text.count('hx-swap-oob="true"') == 8


def test_the_charts_ask_for_series_limits_and_events(store: Store, flag: None, viewer: Visitor) -> None:
    rollouts.start(store, BRIDGE, a_cause(reason="agreed"))

    data = viewer.get(f"{FLAG}/series?range=1h").json

    assert data
    assert data["until"] - data["from"] == 3600
    assert set(data["operations"]) == {"echo", "simple_predict"}
    assert data["limits"]["echo"] == {"max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}}
    assert set(data["evidence"]["operations"]) == set(data["operations"])
    assert data["evidence"]["flag"]["log_limit"] > data["evidence"]["flag"]["log_suspicious"]
    assert [each["label"] for each in data["events"]] == [
        "ann@example.org created the flag",
        "ann@example.org started the rollout",
    ]


def test_a_flag_that_is_not_there_says_where_to_go(viewer: Visitor) -> None:
    missing = viewer.get(f"{FLAGS}/nope")

    assert missing.status_code == 404
    assert "To the flags" in visible(missing)


def test_no_page_carries_a_script_or_a_style_of_its_own(flag: None, admin: Visitor) -> None:
    pages = [
        FLAGS,
        FLAG,
        f"{FLAG}/edit",
        "/environments/production/audit",
        "/environments/production/start",
        "/tokens",
        "/people",
        "/profile",
    ]

    for path in pages:
        text = admin.get(path).text
        assert "<script>" not in text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text


def test_the_findings_say_what_is_waited_for_and_both_rates_with_their_intervals(
    store: Store, flag: None, viewer: Visitor
) -> None:
    rollouts.start(store, BRIDGE, a_cause())
    start = int(NOW.timestamp())
    sides = (
        a_cell(start=start, errors={"timeout": 4}),
        a_cell(start=start, side="baseline", backend="python_pool_v2", calls=400, errors={"timeout": 4}),
    )
    record_reports(store, [a_report(*sides)], NOW)
    taken = lead(store, "test", NOW, timedelta(days=1))
    assert taken
    tick(store, lambda: NOW + timedelta(seconds=30), Clockwork(), taken)

    text = visible(viewer.get(FLAG))

    assert "Keys that failed: python_pool_v2 1.00 % (" in text
    assert "at any time with 99 %" in text
    assert "Nothing speaks against snakepit." in text
    assert "Evidence against snakepit, errors and latency (thin)" in text


def test_an_operation_of_moving_data_says_what_its_calls_do(store: Store, operator: Visitor) -> None:
    flags.create_flag(store, "production", a_data_flag_document(guardrails=None), a_cause())
    assert 'id="new-kind"' in operator.get(FLAG).text

    operator.done(f"{FLAG}/operations", operation="list", percent="0", kind="read", expected="1")

    assert flags.get_flag(store, BRIDGE).operations["list"].kind == "read"


def test_a_long_description_stands_whole_where_there_is_room(store: Store, flag: None, viewer: Visitor) -> None:
    assert "<dt>Description</dt>" not in viewer.get(FLAG).text
    flags.patch_flag(store, BRIDGE, {"description": "all of it " * 200}, a_cause())

    page = viewer.get(FLAG).text

    assert f'<p class="clamp break">{"all of it " * 199}' in page
    assert f'<dt>Description</dt><dd class="break">{"all of it " * 199}' in page


def test_tokens_of_the_first_hour_add_up_and_are_shown_to_be_revoked(store: Store, admin: Visitor) -> None:
    start = "/environments/production/start"
    assert "made here before" not in visible(admin.post(start))

    again = visible(admin.post(start))

    assert "1 made here before" in again
    assert "never used" in again
    assert "Revoke" in again
