"""What a plan could see, said before anybody is exposed to it."""

from datetime import timedelta

import pytest

from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.planning import forecast_plan
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
ONE = {"operations": {"echo": {"percent": 0}}}


@pytest.fixture
def ask(store):
    return lambda document=None: forecast_plan(store, HERE, NOW, Clockwork(), document)


@pytest.fixture
def create(store):
    return lambda **changes: flags.create_flag(store, "production", a_flag_document(**ONE, **changes), a_cause())


@pytest.fixture
def heard(store, lease):
    """Ten minutes of the baseline's keys, 100 a second, some of which failed."""

    def reported(bad_keys=10, **changes):
        counts = {
            "calls": 1000,
            "keys": 1000,
            "bad_keys": bad_keys,
            "errors": {"system": bad_keys},
            "share": 0,
            "attempt": 0,
        }
        start = int((NOW - timedelta(minutes=10)).timestamp())
        cells = [
            a_cell(side="baseline", backend="python_pool_v2", start=start + 10 * number, **{**counts, **changes})
            for number in range(60)
        ]
        record_reports(store, [a_report(*cells)], NOW - timedelta(seconds=30))
        fold(store, lease)

    return reported


def test_before_any_report_nothing_is_promised(create, ask) -> None:
    create()
    told = ask()

    assert told["operations"]["echo"]["keys_per_second"] is None
    assert told["operations"]["echo"]["failure_rate"] is None
    assert {stage["sentence"] for stage in told["stages"]} == {
        "No traffic is known yet: let services report for a while."
    }
    assert told["warnings"] == ["No traffic of echo is known from the last 24 hours."]


def test_a_larger_share_sees_sooner(create, heard, ask) -> None:
    create()
    heard()
    times = [stage["median_seconds"] for stage in ask()["stages"]]

    assert times[0] > times[1] > times[2]
    assert ask()["operations"]["echo"]["keys_per_second"] == pytest.approx(100, rel=0.05)
    told = ask()["operations"]["echo"]
    assert told["failure_rate"] == told["forecast_rate"] == pytest.approx(0.01)


def test_where_nothing_failed_it_says_so_and_what_the_forecast_is_of(create, heard, ask) -> None:
    create()
    heard(bad_keys=0)
    told = ask()

    assert (told["operations"]["echo"]["failure_rate"], told["operations"]["echo"]["forecast_rate"]) == (0.0, 0.001)
    assert told["stages"][0]["median_seconds"]


def test_a_stage_that_is_over_too_soon_says_what_to_do(create, heard, ask) -> None:
    create(plan=a_plan_document(1, 10, bake_seconds=60))
    heard()
    first = ask()["stages"][0]

    assert first["is_blind"]
    assert "The stage is over in 60 s: " in first["sentence"].replace("\u202f", " ")
    assert "let it bake" in first["sentence"]


def test_a_stage_that_bakes_long_enough_is_fine(create, heard, ask) -> None:
    create(plan=a_plan_document(10, bake_seconds=7 * 86_400))
    heard()
    (stage,) = ask()["stages"]

    assert not stage["is_blind"]
    assert stage["median_seconds"] < stage["p95_seconds"] < 7 * 86_400
    assert 200 <= stage["min_samples"] <= 20_000


def test_at_full_share_nothing_is_left_to_compare_with(create, heard, ask) -> None:
    create(plan=a_plan_document(50, 100))
    heard()

    assert ask()["stages"][1]["is_blind"]
    assert "Nothing is left to compare with" in ask()["stages"][1]["sentence"]


def test_calls_that_stand_for_others_are_no_traffic(create, heard, ask) -> None:
    create()
    heard(assigned_by="fallback")

    assert ask()["operations"]["echo"]["keys_per_second"] is None


def test_without_guardrails_the_forecast_says_that_nothing_watches(create, heard, ask) -> None:
    create(guardrails=None)
    heard()

    assert "no guardrails" in ask()["warnings"][0]
    assert ask()["stages"][0]["median_seconds"] is None


def test_another_plan_can_be_tried_and_changes_nothing(store, create, heard, ask) -> None:
    before = create()
    heard()

    assert [stage["percent"] for stage in ask(a_plan_document(5, 20))["stages"]] == [5, 20]
    assert flags.get_flag(store, HERE) == before


def test_what_cannot_be_forecast_is_refused(create, ask) -> None:
    with pytest.raises(NotFound):
        ask()
    create(plan=None)
    with pytest.raises(Refused, match="has no rollout plan"):
        ask()
    with pytest.raises(InvalidInput):
        ask({"stages": []})
