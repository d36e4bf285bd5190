"""Does the list say first what needs somebody, and does a filter leave what it says?"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.histogram import index_of, upper_edge_ms
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.store.reports import Heard
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.glance import recent_steps
from controlplane.usecases.leading import lead
from controlplane.usecases.starting import prepare
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report
from tests.web.ui.visitor import FLAGS, Visitor
from web.ui.overview import AT_ONCE, Wish, overview
from web.ui.sparks import HEIGHT, WIDTH, pieces, sparks


def an_answer(key: str = "bridge", **changes: Any) -> dict[str, Any]:
    rollout = {
        "state": "idle", "stage": 0, "stages": 0, "percent": 0, "bakes_until": None, "waiting_for": None,
        "cool_down_until": None, "rolled_back": False, "rolled_back_operations": [],
    }  # fmt: skip
    flag = {
        "key": key, "kind": "migration", "description": "", "owner": "team", "tags": ["a"], "baseline": "old", "candidate": "new",
        "operations": {"echo": {"percent": 0}}, "enabled": True, "health": None, "held": False,
        "last_change": None,
    }  # fmt: skip
    return {**flag, **changes, "rollout": {**rollout, **changes.get("rollout", {})}}


def shown(answers: Iterable[dict[str, Any]], **wish: Any) -> list[str]:
    return [flag["key"] for flag in overview(list(answers), Wish(**wish), NOW).rows]


def test_what_was_taken_back_comes_before_what_waits_and_that_before_the_rest() -> None:
    waits = {"state": "running", "waiting_for": "has baked: somebody has to approve", "bakes_until": NOW.isoformat()}
    answers = [
        an_answer("a-fine"),
        an_answer("a-young", rollout={"state": "running", "waiting_for": "holds: too few"}),
        an_answer("b-holds", rollout={"state": "running", "waiting_for": "holds: one side"}, held=True),
        an_answer("c-waits", rollout=waits),
        an_answer("d-back", rollout={"rolled_back": True}),
    ]

    assert shown(answers) == ["d-back", "c-waits", "b-holds", "a-fine", "a-young"]
    assert overview(answers, Wish(), NOW).worst == "unhealthy"
    assert overview(answers[:1], Wish(), NOW).worst == "healthy"


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        ({"state": "back"}, ["back"]),
        ({"state": "moving"}, ["moves"]),
        ({"state": "off"}, ["off"]),
        ({"owner": "others"}, ["moves"]),
        ({"tag": "b"}, ["off"]),
        ({"search": "mov"}, ["moves"]),
    ],
)
def test_a_filter_leaves_what_it_says(wish: dict[str, str], left: list[str]) -> None:
    answers = [
        an_answer("moves", rollout={"state": "running"}, owner="others"),
        an_answer("back", rollout={"rolled_back": True}),
        an_answer("off", enabled=False, tags=["b"]),
    ]

    assert shown(answers, **wish) == left


@given(number=st.integers(0, 3 * AT_ONCE))
def test_every_flag_is_on_exactly_one_page(number: int) -> None:
    answers = [an_answer(f"flag-{each:03}") for each in range(number)]
    pages = overview(answers, Wish(), NOW).pages

    seen = [key for page in range(1, pages + 1) for key in shown(answers, page=page)]

    assert seen == [flag["key"] for flag in answers]


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_a_line_stays_in_its_frame_and_breaks_where_nothing_was_measured(values: list[float | None]) -> None:
    found = pieces(values, 0.5, WIDTH, HEIGHT)

    points = [tuple(map(float, point.split(","))) for piece in found for point in piece.split()]
    assert all(0 <= x <= WIDTH + 1 and 0 <= y <= HEIGHT for x, y in points)
    assert len(found) == sum(v is not None and (i == 0 or values[i - 1] is None) for i, v in enumerate(values))


def test_a_side_without_calls_has_no_rate() -> None:
    drawn = sparks({"baseline": {0: Heard(100, 5, 80.0), 30: Heard(100, 0, 40.0)}}, [0, 30])

    assert (drawn.errors.baseline.value, drawn.latency.baseline.value) == (0.025, 40.0)
    assert (drawn.errors.candidate.value, drawn.errors.candidate.pieces) == (None, ())
    assert (drawn.latency.candidate.value, drawn.latency.candidate.pieces) == (None, ())
    assert drawn.latency.baseline.pieces == ("0.0,1.0 120.0,14.0",)


def test_both_sides_are_counted_as_services_told_without_what_nobody_waited_for(migrated_url: str) -> None:
    with open_store(migrated_url) as store:
        prepare(store, Settings(database_url=migrated_url, secret_key="a key of sixteen letters"), NOW)
        flags.create_flag(store, "production", a_flag_document(), a_cause())
        start = int(NOW.timestamp())
        cells = [
            a_cell(start=start, errors={"timeout": 4}),
            a_cell(start=start + 10, operation="simple_predict", milliseconds=300.0),
            a_cell(start=start, assigned_by="shadow", milliseconds=5_000.0),
        ]
        record_reports(store, [a_report(*cells)], NOW)
        lease = lead(store, "test", NOW, timedelta(minutes=1))
        assert lease
        fold(store, lease)

        steps, found = recent_steps(store, "production", ["dspex-bridge"], NOW + timedelta(minutes=5))

    assert start // 30 * 30 in steps
    assert found == {"dspex-bridge": {"candidate": {start // 30 * 30: (200, 4, upper_edge_ms(index_of(300.0)))}}}


def test_the_list_says_at_once_whether_anything_needs_somebody(store: Store, flag: None, viewer: Visitor) -> None:
    assert "Nothing needs you" in viewer.text(FLAGS)

    rollouts.roll_back(store, Place("production", "dspex-bridge"), a_cause(reason="it burns"))

    told = viewer.text(FLAGS)
    assert "1 flag was rolled back" in told
    assert "dspex-bridge rolled back by ann@example.org" in told
    assert "it burns" in told


def test_a_state_in_the_address_is_chosen_in_the_form(flag: None, viewer: Visitor) -> None:
    page = viewer.get(f"{FLAGS}?state=off").text

    assert 'value="off" checked' in page
    assert "Nothing matches" in page
