"""The picture of a rollout on an axis of time, and the list that says the same."""

import re
from datetime import timedelta

import pytest

from controlplane.store import Store
from controlplane.usecases import flags, freezes, rollouts
from controlplane.usecases.changing import Place
from tests.builders import NOW, a_cause, a_plan_document
from tests.web.conftest import Clock
from tests.web.ui.visitor import FLAG, Visitor

BRIDGE = Place("production", "dspex-bridge")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def planned(store: Store, flag: None) -> None:
    flags.set_plan(store, BRIDGE, a_plan_document(1, 10, 50, bake_seconds=86_400), a_cause())


def pieces(visitor: Visitor) -> list[tuple[str, float, float]]:
    """Style, place and width of what is drawn."""
    found = re.findall(r'<rect class="(\w+)" x="([\d.]+)%" y="[\d.]+" width="([\d.]+)%"', visitor.get(FLAG).text)
    return [(style, float(x), float(width)) for style, x, width in found]


def test_before_a_start_there_is_nothing_to_draw(viewer: Visitor) -> None:
    assert pieces(viewer) == []


def test_past_present_and_planned_stand_where_their_times_are(store: Store, viewer: Visitor, clock: Clock) -> None:
    rollouts.start(store, BRIDGE, a_cause(NOW))
    rollouts.advance(store, BRIDGE, a_cause(NOW + DAY))
    clock.go_on(DAY * 1.5)

    assert pieces(viewer) == [
        ("past", 0.0, 33.3),
        ("present", 33.3, 16.7),
        ("planned", 50.0, 16.7),
        ("planned", 66.7, 33.3),
    ]
    told = viewer.text(FLAG)
    assert "done: 1 % 1 day from Monday 09:00 to today 09:00" in told
    assert "now: 10 % 1 day since 09:00, bakes until Wednesday 09:00 50 %" in told
    assert "planned: 50 % 1 day planned from Wednesday 09:00 to Thursday 09:00" in told


def test_the_word_of_a_whole_share_stands_below_the_word_now(store: Store, viewer: Visitor) -> None:
    flags.set_plan(store, BRIDGE, a_plan_document(100), a_cause())
    rollouts.start(store, BRIDGE, a_cause(NOW))

    page = viewer.get(FLAG).text
    (now,) = re.findall(r'<text class="now" x="[\d.]+%" y="(\d+)"', page)
    (label,) = re.findall(r'<text x="0.0%" y="([\d.]+)" dx="3">100', page)

    assert float(label) - float(now) > 12


def test_a_freeze_is_shaded_and_puts_off_what_is_planned(store: Store, viewer: Visitor) -> None:
    span = {"starts_at": (NOW + DAY / 2).isoformat(), "ends_at": (NOW + 2 * DAY).isoformat()}
    freezes.add_freeze(store, "production", {"name": "Inventory", **span}, a_cause())
    rollouts.start(store, BRIDGE, a_cause(NOW))

    assert ("frozen", 12.5, 37.5) in pieces(viewer)
    assert "10 % 1 day planned from Wednesday 09:00" in viewer.text(FLAG)


def test_the_hours_in_which_a_plan_stands_still_are_shaded(store: Store, viewer: Visitor) -> None:
    window = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "21:00", "zone": "UTC"}
    flags.set_plan(store, BRIDGE, {**a_plan_document(1, 10, bake_seconds=86_400), "windows": [window]}, a_cause())
    rollouts.start(store, BRIDGE, a_cause(NOW))

    assert [piece for piece in pieces(viewer) if piece[0] == "closed"] == [
        ("closed", 25.0, 25.0),
        ("closed", 75.0, 25.0),
    ]


def test_after_a_rollback_the_stages_that_were_lived_stay_to_be_seen(
    store: Store, viewer: Visitor, clock: Clock
) -> None:
    rollouts.start(store, BRIDGE, a_cause(NOW))
    rollouts.advance(store, BRIDGE, a_cause(NOW + DAY))
    rollouts.roll_back(store, BRIDGE, a_cause(NOW + 2 * DAY))
    clock.go_on(4 * DAY)

    assert pieces(viewer) == [("past", 0.0, 25.0), ("past", 25.0, 25.0)]


def test_a_paused_stage_is_lived_on_and_nothing_is_planned(store: Store, viewer: Visitor, clock: Clock) -> None:
    rollouts.start(store, BRIDGE, a_cause(NOW))
    rollouts.pause(store, BRIDGE, a_cause(NOW + DAY))
    clock.go_on(2 * DAY)

    assert pieces(viewer) == [("present", 0.0, 100.0)]


def test_a_stage_says_what_else_happens_to_a_call_on_the_axis_and_in_the_list(store: Store, viewer: Visitor) -> None:
    stages = [{"percent": 0, "mode": "shadow"}, {"percent": 10}, {"percent": 50, "mode": "dual_write"}]
    flags.set_plan(store, BRIDGE, {"stages": [{**each, "bake_seconds": 86_400} for each in stages]}, a_cause())
    rollouts.start(store, BRIDGE, a_cause(NOW))

    told = viewer.text(FLAG)

    assert "0 % shadow planned to Tuesday 09:00" in viewer.get(FLAG).text.replace("\u202f", " ")
    assert "planned: 10 % shadow, 1 day planned from Tuesday 09:00" in told
    assert "planned: 50 % dual write, 1 day planned from Wednesday 09:00" in told


def test_what_was_lived_long_ago_is_drawn_however_much_was_written_down_since(
    store: Store, viewer: Visitor, clock: Clock
) -> None:
    rollouts.start(store, BRIDGE, a_cause(NOW))
    for number in range(40):
        flags.set_guardrails(store, BRIDGE, {"min_samples": 100 + number}, a_cause(NOW))
    clock.go_on(DAY / 2)

    assert pieces(viewer)[0] == ("present", 0.0, 16.7)


def test_the_operations_that_follow_have_their_stage_in_the_list(store: Store, viewer: Visitor) -> None:
    plan = {**a_plan_document(1, 98, bake_seconds=86_400), "lags": {"echo": 1}}
    flags.set_plan(store, BRIDGE, plan, a_cause())

    assert viewer.text(FLAG).count("for the operations that follow") == 1
