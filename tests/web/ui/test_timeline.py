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
    assert "1 % from Monday 09:00 to 09:00" in told.replace("\u202f", " ")
    assert "10 % planned to Wednesday 09:00" in told.replace("\u202f", " ")
    assert "50 % planned from Wednesday 09:00 to Thursday 09:00" in told.replace("\u202f", " ")


def test_a_freeze_is_shaded_and_puts_off_what_is_planned(store: Store, viewer: Visitor) -> None:
    span = {"starts_at": (NOW + DAY / 2).isoformat(), "ends_at": (NOW + 2 * DAY).isoformat()}
    freezes.add_freeze(store, "production", {"name": "Inventory", **span}, a_cause())
    rollouts.start(store, BRIDGE, a_cause(NOW))

    assert ("frozen", 12.5, 37.5) in pieces(viewer)
    assert "10 % planned from Wednesday 09:00" in viewer.text(FLAG).replace("\u202f", " ")


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
