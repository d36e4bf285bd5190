"""What another policy would have done with the same telemetry."""

from datetime import datetime, timedelta

import pytest

from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.fields import parse
from controlplane.domain.errors import InvalidInput, NotFound
from controlplane.usecases import flags, rollouts
from controlplane.usecases.backtest import backtest
from controlplane.usecases.history import Filter, list_entries
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.usecases.reporting import CLOCKWORK, HERE, Life

POLICY = {"min_samples": 100}


@pytest.fixture
def life(store, lease):
    """Two stages of a minute, a candidate that is healthy for two minutes and then fails."""
    plan = a_plan_document(1, 10, 50, 98, bake_seconds=60)
    flags.create_flag(store, "production", a_flag_document(plan=plan, guardrails=POLICY), a_cause())
    rollouts.start(store, HERE, a_cause())
    lived = Life(store, lease)
    lived.live(12)
    lived.live(8, errors={"timeout": 8})
    assert flags.get_flag(store, HERE).rolled_back
    return lived


def tried(life, policy, **what):
    asked = parse(BacktestDocument, {"guardrails": policy, **what})
    return backtest(life.store, HERE, asked, life.at, CLOCKWORK)


def moments(answer, kind):
    return [datetime.fromisoformat(each["at"]) for each in answer["events"] if each["kind"] == kind]


def entries(life, action):
    found = list_entries(life.store, "production", Filter(flag="dspex-bridge", action=action)).items
    return [each.at for each in reversed(found)]


def test_the_policy_that_was_in_force_does_what_was_done(life):
    answer = tried(life, POLICY)

    assert moments(answer, "roll_back") == entries(life, "rollout:roll_back")
    assert moments(answer, "advance") == entries(life, "rollout:advance")
    assert answer["rolled_back_at"] == answer["events"][-1]["at"]
    assert answer["events"][-1]["log_evidence"] == pytest.approx(
        list_entries(life.store, "production", Filter(action="rollout:roll_back")).items[0].record["log_evidence"]
    )
    assert answer["note"] is None


def test_a_stage_that_was_left_between_two_looks_is_told_with_its_instant(store, lease):
    plan = a_plan_document(1, 10, 98, bake_seconds=65)
    flags.create_flag(store, "production", a_flag_document(plan=plan, guardrails=POLICY), a_cause())
    rollouts.start(store, HERE, a_cause())
    life = Life(store, lease)
    for _ in range(25):
        life.live()
        life.at += timedelta(seconds=5)
        life.look()
        life.at -= timedelta(seconds=5)

    answer = tried(life, POLICY)

    assert [at.second % 10 for at in entries(life, "rollout:advance")] == [5, 0]
    assert moments(answer, "advance") == entries(life, "rollout:advance")
    assert moments(answer, "complete") == entries(life, "rollout:complete")


def test_a_later_attempt_begins_with_the_history_of_the_baseline(life):
    rollouts.unlock(life.store, HERE, a_cause(life.at))
    rollouts.start(life.store, HERE, a_cause(life.at))
    life.live(6, milliseconds=2500.0)
    lived = list_entries(life.store, "production", Filter(action="rollout:roll_back")).items[0]

    told = tried(life, POLICY)["events"][-1]

    assert (told["kind"], datetime.fromisoformat(told["at"])) == ("roll_back", lived.at)
    assert told["guardrail"] == "latency_vs_baseline"
    assert told["log_evidence"] == pytest.approx(lived.record["log_evidence"])


def test_a_stricter_policy_takes_back_earlier_and_a_laxer_one_never(life):
    (lived,) = entries(life, "rollout:roll_back")

    strict = tried(life, {**POLICY, "compare": {"alpha": 0.2}})
    lax = tried(life, {**POLICY, "compare": {"error_rate_ratio": 90, "error_rate_margin": 0.9, "latency_ratio": 90}})

    assert moments(strict, "roll_back")[0] <= lived
    assert moments(lax, "roll_back") == []
    assert lax["rolled_back_at"] is None


def test_a_policy_that_only_reports_is_told_as_one(life):
    answer = tried(life, {**POLICY, "on_breach": "report"})

    assert moments(answer, "roll_back") == []
    assert moments(answer, "report") == entries(life, "rollout:roll_back")


def test_each_doubt_is_told_once_with_its_numbers(life):
    doubts = [each for each in tried(life, POLICY)["events"] if each["kind"] == "suspicious"]

    assert len({(each["operation"], each["guardrail"]) for each in doubts}) == len(doubts) > 0
    assert all(each["one_in"] >= 1 and "evidence 1 in" in each["sentence"] for each in doubts)


def test_it_changes_nothing(life):
    before = (flags.get_flag(life.store, HERE), len(entries(life, None)))

    tried(life, {**POLICY, "compare": {"alpha": 0.2}})

    assert (flags.get_flag(life.store, HERE), len(entries(life, None))) == before


def test_a_stretch_is_looked_at_alone(life):
    since = NOW + timedelta(seconds=60)

    answer = tried(life, POLICY, since=since.isoformat(), until=(NOW + timedelta(seconds=110)).isoformat())

    assert (answer["from"], answer["until"]) == (since.isoformat(), (NOW + timedelta(seconds=110)).isoformat())
    assert moments(answer, "roll_back") == []
    assert min(answer["series"]["times"]) > since.timestamp()


def test_where_no_telemetry_is_kept_it_says_so(life):
    with life.store.writing() as uow:
        for name in ("echo", "simple_predict"):
            uow.buckets.take(1, "dspex-bridge", name, 0, 2**40)
        uow.commit()

    answer = tried(life, POLICY)

    assert (answer["events"], answer["series"]["times"]) == ([], [])
    assert answer["note"].startswith("No telemetry of attempt 1 is kept between 5 Jan 2026 09:00 UTC and")


@pytest.mark.parametrize(
    ("policy", "what", "field"),
    [
        ({"max_error_rate": 2}, {}, "guardrails.max_error_rate"),
        ({"max_eror_rate": 0.1}, {}, "guardrails.max_eror_rate"),
        (POLICY, {"since": "2026-01-05T12:00:00"}, "since"),
        (POLICY, {"since": "2026-01-06T12:00:00Z"}, "since"),
        (POLICY, {"attempt": 0}, "attempt"),
    ],
)
def test_what_cannot_be_accepted_is_refused_by_its_field(life, policy, what, field):
    with pytest.raises(InvalidInput) as caught:
        tried(life, policy, **what)

    assert field in {each.field for each in caught.value.errors}


def test_an_attempt_that_never_was_is_not_found(life):
    with pytest.raises(NotFound, match="it has had 1"):
        tried(life, POLICY, attempt=5)
