"""Every decision can be made again from the stored rows: to 1e-9, whatever happened to the flag in between."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from controlplane.domain.errors import NotFound
from controlplane.domain.histogram import index_of
from controlplane.domain.retention import Retention
from controlplane.store.checkpoint_tables import checkpoints
from controlplane.store.tables import buckets
from controlplane.usecases import flags, opening, recomputing, rollouts
from controlplane.usecases.evidence import Asked, evidence_series
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.retention import pack_next, thin
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.usecases.reporting import CLOCKWORK, HERE, Life

BAD = {"errors": {"timeout": 12}}


@pytest.fixture
def bake():
    return 3600


@pytest.fixture
def life(store, lease, bake):
    document = a_flag_document(plan=a_plan_document(1, 10, 50, 98, bake_seconds=bake), guardrails={"min_samples": 100})
    flags.create_flag(store, "production", document, a_cause())
    rollouts.start(store, HERE, a_cause())
    return Life(store, lease)


def asked(life, **what):
    return evidence_series(life.store, HERE, life.at, CLOCKWORK, Asked(**what))


def newest(life, action="rollout:roll_back"):
    return list_entries(life.store, "production", Filter(flag="dspex-bridge", action=action)).items[0]


def test_a_rollback_is_recomputed_from_its_rows(life):
    life.live(4)
    life.live(4, **BAD)
    record = newest(life).record

    answer = asked(life)

    decision = answer["decisions"][-1]
    assert decision["rule"] == "errors_vs_baseline"
    assert decision["recorded"] >= -math.log(0.01)
    assert decision["difference"] == 0
    assert decision["same"] is answer["same"] is True
    assert (
        decision["operations"]["echo"]["errors"]["recorded"] == record["operations"]["echo"]["errors"]["log_evidence"]
    )
    assert answer["note"] is None


def test_a_record_holds_what_the_decision_was_made_of(life):
    life.live(4)
    life.live(4, **BAD)

    entry = newest(life)
    echo = entry.record["operations"]["echo"]
    (stratum,) = echo["rows"]["strata"]

    assert (entry.record["schema"], entry.record["code"], entry.record["step"]) == (1, "evidence/3", "roll_back")
    assert entry.record["sentence"] == entry.reason
    assert entry.record["flag_version"] == entry.version - 1
    assert (echo["alpha"], echo["design_effect"]) == (0.01, 2.0)
    assert echo["tolerance"] == {"error_rate_ratio": 1.1, "error_rate_margin": 0.0005, "latency_ratio": 1.19}
    assert echo["rows"]["from"] == int(NOW.timestamp())
    assert echo["rows"]["until"] == entry.record["judged_until"]
    assert stratum["percent"] == 1
    assert stratum["rho"] == 0.2
    assert stratum["candidate"]["rate"] == stratum["candidate"]["bad_keys"] / stratum["candidate"]["keys"] > 0
    assert verify(life.store, "production").broken is None


def arrived(keys):
    """A cell's worth of keys, all of them for the first time."""
    return {"key_rise": {"to": {str(index_of(20.0)): keys}}}


def test_a_doubt_about_the_assignment_is_recomputed_from_its_rows(life):
    life.live(4, baseline=arrived(400), **arrived(100))

    (decision,) = asked(life)["decisions"]

    assert decision["rule"] == "sample_ratio"
    both = decision["operations"]["echo"]["sample_ratio"]
    assert both["recorded"] == both["recomputed"] > math.log(1000)
    assert newest(life, "rollout:hold").record["rule_means"]


@pytest.mark.parametrize("bake", [60])
def test_the_proof_that_a_stage_asked_for_is_recomputed_from_its_rows(life):
    plan = a_plan_document(10, 98, bake_seconds=60)
    plan["stages"][0]["prove"] = True
    rollouts.abort(life.store, HERE, a_cause(life.at))
    limits = {"min_samples": 100, "compare": {"error_rate_ratio": 2, "error_rate_margin": 0.05}}
    flags.set_guardrails(life.store, HERE, limits, a_cause(life.at))
    flags.set_plan(life.store, HERE, plan, a_cause(life.at))
    rollouts.start(life.store, HERE, a_cause(life.at))
    life.live(12, baseline={"errors": {"timeout": 8}, **arrived(400)}, **arrived(44))

    (decision,) = [each for each in asked(life)["decisions"] if each["action"] == "rollout:advance"]

    both = decision["operations"]["echo"]["no_worse"]
    assert both["recorded"] == both["recomputed"] > math.log(20)


@pytest.mark.parametrize("bake", [60])
def test_the_evidence_survives_stages_new_limits_and_a_switch_in_between(life):
    life.live(8)
    assert newest(life, "rollout:advance").record["rule"] == "bake"
    flags.set_guardrails(life.store, HERE, {"min_samples": 50, "max_error_rate": 0.1}, a_cause(life.at))
    life.live(3, errors={"timeout": 2})
    flags.disable_flag(life.store, HERE, a_cause(life.at))
    life.live(3, errors={"timeout": 4})
    flags.enable_flag(life.store, HERE, a_cause(life.at))
    life.live(6, **BAD)

    answer = asked(life)

    assert newest(life).record["operations"]["echo"]["limits"]["max_error_rate"]["limit"] == 0.1
    assert len(answer["decisions"]) >= 2
    assert [each["difference"] for each in answer["decisions"]] == [0] * len(answer["decisions"])
    assert answer["same"]


def test_an_attempt_begins_with_the_history_of_the_one_before(life):
    life.live(4)
    life.live(4, milliseconds=2500.0)
    rollouts.unlock(life.store, HERE, a_cause(life.at))
    rollouts.start(life.store, HERE, a_cause(life.at))
    life.live(8, milliseconds=2500.0)

    first, second = asked(life, attempt=1), asked(life)

    assert (second["attempt"], second["attempts"]) == (2, [1, 2])
    assert {each["action"] for each in second["decisions"]} >= {"rollout:roll_back"}
    assert {each["difference"] for each in [*first["decisions"], *second["decisions"]]} == {0}


def test_what_came_too_late_for_an_attempt_that_is_over_changes_nothing(life):
    life.live(4)
    before = life.at
    life.live(4, **BAD)
    rollouts.unlock(life.store, HERE, a_cause(life.at))
    late = [before, before + timedelta(seconds=10)]
    attempt_of_then = flags.get_flag(life.store, HERE).rollout.attempt
    rollouts.start(life.store, HERE, a_cause(life.at))
    life.live(1)
    for at in late:
        life.report_for(attempt_of_then, at, **BAD)
    life.live(1)

    assert asked(life, attempt=1)["same"]


def test_a_row_that_was_changed_is_found_out(life):
    life.live(4)
    life.live(4, **BAD)
    with life.store.engine.begin() as connection:
        connection.execute(update(buckets).where(buckets.c.side == "candidate").values(bad_keys=0))

    decision = asked(life)["decisions"][-1]

    assert decision["same"] is False
    assert decision["because"] == "the rows are not those that were judged"


def test_other_arithmetic_is_found_out(life, monkeypatch):
    life.live(4)
    life.live(4, **BAD)
    monkeypatch.setattr("controlplane.domain.evidence.RESTART_HORIZON", 36)

    decision = asked(life)["decisions"][-1]

    assert decision["same"] is False
    assert decision["difference"] > recomputing.CLOSE
    assert decision["because"] == "the same rows give another evidence"


def test_rows_that_are_gone_are_said_to_be_gone(life):
    life.live(4)
    life.live(4, **BAD)
    with life.store.engine.begin() as connection:
        connection.execute(delete(buckets))

    decision = asked(life)["decisions"][-1]

    assert decision["same"] is None
    assert "no longer kept" in decision["because"]


def test_where_early_rows_are_gone_it_goes_on_from_the_next_checkpoint(life, monkeypatch):
    monkeypatch.setattr(opening, "CHECKPOINT_EVERY", 60)
    life.live(13)
    life.live(4, **BAD)
    with life.store.engine.begin() as connection:
        starts = sorted(connection.execute(select(checkpoints.c.start)).scalars())
        connection.execute(delete(buckets).where(buckets.c.start < starts[-1]))

    answer = asked(life)

    assert starts[-1] > starts[0]
    assert answer["decisions"][-1]["same"] is True
    assert "on; before that the rows are kept as minutes" in answer["note"]
    assert answer["series"]["times"][0] >= starts[-1]


def test_a_decision_outlives_the_retention_of_its_rows(life, lease, monkeypatch):
    monkeypatch.setattr(opening, "CHECKPOINT_EVERY", 600)
    life.live(70)
    life.at += timedelta(hours=4)
    life.live(70)
    life.live(4, **BAD)
    later = life.at + timedelta(days=10)
    while pack_next(life.store, lease, later):
        pass
    packed = asked(life)

    thin(life.store, lease, later, Retention())

    thinned = asked(life)
    assert packed["same"]
    assert packed["note"] is None
    assert (thinned["same"], thinned["decisions"][-1]["same"]) == (True, True)
    assert "before that the rows are kept as minutes" in thinned["note"]


def test_the_series_has_a_point_for_each_step_and_both_rates(life):
    life.live(4)
    life.live(4, **BAD)

    series = asked(life)["series"]
    echo = series["operations"]["echo"]

    assert series["step"] == 10
    assert {len(series["times"])} == {len(each) for each in (echo["errors"], echo["latency"], echo["candidate_rate"])}
    assert echo["errors"][-1] > echo["log_limit"] == -math.log(0.01)
    assert echo["candidate_rate"][0] == 0
    assert echo["candidate_rate"][-1] == pytest.approx(0.12)
    assert series["times"] == sorted(series["times"])


def test_a_chart_begins_at_the_checkpoint_before_its_stretch(life, monkeypatch):
    monkeypatch.setattr(opening, "CHECKPOINT_EVERY", 60)
    life.live(16, errors={"timeout": 1})
    whole = asked(life)["series"]

    part = asked(life, since=NOW + timedelta(seconds=100))["series"]

    assert part["times"][0] >= int(NOW.timestamp()) + 100
    assert part["overall"][-1] == pytest.approx(whole["overall"][-1], abs=1e-9)
    assert len(part["times"]) < len(whole["times"])


@pytest.mark.parametrize("what", [{"attempt": 0}, {"attempt": 2}, {"entry": 1}, {"entry": 999}])
def test_what_never_was_is_not_found(life, what):
    with pytest.raises(NotFound):
        asked(life, **what)
