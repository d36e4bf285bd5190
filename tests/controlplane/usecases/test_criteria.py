"""Weeks of a migration, a report every eight hours or every day, and what its success criteria say at each of its turns."""

from datetime import datetime, timedelta

import pytest

from controlplane.domain.errors import InvalidInput, Refused
from controlplane.domain.histogram import LOWEST, index_of
from controlplane.domain.retention import Retention
from controlplane.domain.rollout import State
from controlplane.usecases import attachments, checklists, finishing, flags, rollouts
from controlplane.usecases.criteria import describe_criteria
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.reporting import migration_report
from controlplane.usecases.retention import pack_next, thin
from controlplane.usecases.telemetry import fold, record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report
from tests.controlplane.usecases.reporting import HERE

STEP, DAY = timedelta(hours=8), timedelta(days=1)


class Weeks:
    """`at` goes on; the share in force, the attempt and the sides come from the flag."""

    def __init__(self, store, lease) -> None:
        self.store, self.lease, self.at, self.sequence = store, lease, NOW, 0

    def live(self, days: float, every: timedelta = STEP, **changes) -> None:
        until = self.at + timedelta(days=days)
        while self.at < until:
            self.report(self.at, **changes)
            self.at += every

    def report(self, at: datetime, *, candidate=None, baseline=None, extra=()) -> None:
        flag = flags.get_flag(self.store, HERE)
        share, attempt = flag.operations["echo"].share, flag.rollout.attempt
        common = {"attempt": attempt, "share": share, "start": int(at.timestamp()) // 10 * 10}
        index = str(index_of(20.0))
        keys = {"candidate": 4000 * share // 100_000, "baseline": 4000 * (100_000 - share) // 100_000}
        cells = [
            a_cell(
                **{
                    "side": side,
                    "backend": flag.candidate if side == "candidate" else flag.baseline,
                    "calls": number,
                    "key_rise": {"from": {str(LOWEST): 0}, "to": {index: number}},
                    **common,
                    "strayed_keys": 0,
                    **((candidate if side == "candidate" else baseline) or {}),
                }
            )
            for side, number in keys.items()
            if number
        ]
        cells += [a_cell(**{"share": share, **common, **each}) for each in extra]
        self.sequence += 1
        record_reports(self.store, [a_report(*cells, sequence=self.sequence)], at)
        fold(self.store, self.lease)

    def change(self, act, *rest) -> None:
        act(self.store, HERE, *rest, a_cause(self.at))

    def outcomes(self) -> dict[str, str]:
        return {each["name"]: each["outcome"] for each in self.told()["criteria"]}

    def told(self):
        return describe_criteria(self.store, HERE, self.at)

    def sentence(self, name: str) -> str:
        return next(each["sentence"] for each in self.told()["criteria"] if each["name"] == name)


@pytest.fixture
def weeks(store, lease) -> Weeks:
    document = a_flag_document(
        operations={"echo": {"percent": 0}}, plan=a_plan_document(50, 98), guardrails={"design_effect": 1.0}
    )
    flags.create_flag(store, "production", document, a_cause())
    return Weeks(store, lease)


DIVERTED = {"side": "baseline", "backend": "python_pool_v2", "assigned_by": "breaker", "calls": 40}
PROBED = {"side": "candidate", "assigned_by": "probe", "calls": 5}
RUN = {"commit": "4f2a91c", "result": "passed"}


def test_before_anybody_is_exposed_nothing_has_passed(weeks):
    weeks.live(1)

    assert set(weeks.outcomes().values()) == {"not_enough_data"}


def test_a_migration_of_ten_weeks_passes_every_criterion_and_says_so_in_its_report(weeks, store, lease):
    weeks.change(rollouts.start)
    weeks.live(14)
    weeks.change(rollouts.advance)
    weeks.live(1, extra=(DIVERTED, PROBED))
    weeks.live(20, DAY)
    assert weeks.outcomes()["stable"] == "not_enough_data"
    assert "20 of 30 days since a breaker was open" in weeks.sentence("stable")
    weeks.live(11, DAY)
    attachments.attach(store, HERE, RUN, a_cause(weeks.at))

    assert weeks.outcomes() == dict.fromkeys(("errors", "latency", "breakers", "affinity", "stable", "tests"), "pass")

    weeks.change(finishing.finish)
    weeks.live(2)
    while pack_next(store, lease, weeks.at):
        pass
    thin(store, lease, weeks.at, Retention())
    assert set(weeks.outcomes().values()) == {"pass"}
    report = migration_report(store, HERE, weeks.at)
    assert report["outcome"] == "pass"
    assert report["migration"]["rollout"]["state"] == "finished"


def test_a_rollback_begins_the_thirty_days_anew(weeks):
    weeks.change(rollouts.start)
    weeks.change(rollouts.advance)
    weeks.live(10)
    weeks.change(rollouts.roll_back)
    weeks.live(1)
    assert "days count from 98 % on" in weeks.sentence("stable")

    weeks.change(rollouts.unlock)
    weeks.change(rollouts.start)
    weeks.change(rollouts.advance)
    weeks.live(5)

    assert "5 of 30 days since it reached 98 %" in weeks.sentence("stable") or "4 of 30" in weeks.sentence("stable")


def test_a_candidate_that_fails_more_often_fails_and_one_that_is_slower_does_too(weeks):
    weeks.change(rollouts.start)
    weeks.live(4, candidate={"errors": {"timeout": 60}})
    assert weeks.outcomes()["errors"] == "fail"

    weeks.change(rollouts.abort)
    weeks.change(rollouts.start)
    slow = {"to": {str(index_of(90.0)): 2000}, "from": {}}
    weeks.live(4, candidate={"milliseconds": 90.0, "key_rise": slow})
    assert weeks.outcomes()["latency"] == "fail"
    assert weeks.outcomes()["errors"] != "fail"


def test_breakers_that_were_forced_open_for_a_while_are_an_exercise_and_no_trouble(weeks, store):
    weeks.change(rollouts.start)
    weeks.live(2)
    flags.set_operation(store, HERE, "echo", {"breaker": {"mode": "forced_open"}}, a_cause(weeks.at))
    weeks.live(1, extra=(DIVERTED,))
    flags.set_operation(store, HERE, "echo", {"breaker": {"mode": None}}, a_cause(weeks.at))
    assert weeks.outcomes()["breakers"] == "not_enough_data"
    weeks.live(1)

    assert weeks.outcomes()["breakers"] == "pass"
    assert "breaker was open" not in weeks.sentence("stable")


def test_an_outage_that_no_breaker_noticed_fails(weeks):
    weeks.change(rollouts.start)
    weeks.live(1, candidate={"errors": {"connection": 1950}})

    assert weeks.outcomes()["breakers"] == "fail"
    assert "no breaker opened" in weeks.sentence("breakers")


def test_a_key_that_is_not_sent_where_it_was_drawn_shows(weeks):
    weeks.change(rollouts.start)
    few = {"calls": 200, "key_rise": {"from": {}, "to": {str(index_of(20.0)): 200}}}
    weeks.live(1, candidate=few)

    assert weeks.outcomes()["affinity"] == "fail"


def test_a_key_that_both_sides_served_fails_and_where_nobody_looked_there_is_not_enough_data(weeks):
    weeks.change(rollouts.start)
    weeks.live(1, candidate={"strayed_keys": None}, baseline={"strayed_keys": None})
    assert weeks.outcomes()["affinity"] == "not_enough_data"
    assert "no service has told yet whether keys stay" in weeks.sentence("affinity")
    weeks.live(1)
    assert weeks.outcomes()["affinity"] == "pass"

    weeks.live(0.1, candidate={"strayed_keys": 3})

    assert weeks.outcomes()["affinity"] == "fail"
    assert "3 keys were served by both sides while one share was in force" in weeks.sentence("affinity")


@pytest.fixture
def strict(weeks, store):
    """A checklist that wants every criterion passed; the last stage is there, and its breaker was open a while ago."""
    checklists.require(store, HERE, items=False, tests=False, criteria=True, cause=a_cause())
    weeks.change(rollouts.start)
    weeks.live(14)
    weeks.change(rollouts.advance)
    weeks.live(1, extra=(DIVERTED, PROBED))
    weeks.live(0.4)
    return weeks


def test_it_waits_for_every_criterion_and_names_those_that_have_not_passed(strict, store):
    strict.live(10, DAY)

    with pytest.raises(
        Refused, match=r"2 of 6 success criteria have not passed: 30 days stable .not enough data"
    ) as no:
        strict.change(finishing.finish)
    assert "All existing tests pass (not enough data: no test result is attached)" in no.value.message
    assert flags.get_flag(store, HERE).rollout.state is State.RUNNING
    attachments.attach(store, HERE, RUN, a_cause(strict.at))
    strict.live(21, DAY)

    strict.change(finishing.finish)
    entry = list_entries(store, "production", Filter(action="rollout:finish"), 1).items[0]
    assert {each["outcome"] for each in entry.record["criteria"].values()} == {"pass"}
    assert entry.record["despite"] == []


def test_a_person_finishes_despite_them_with_a_reason_that_is_kept(strict, store):
    with pytest.raises(InvalidInput, match="reason: is missing: say why 'dspex-bridge' is finished although"):
        finishing.finish(store, HERE, a_cause(strict.at, reason=" "), despite_criteria=True)

    finishing.finish(store, HERE, a_cause(strict.at, reason="the pool's contract ends"), despite_criteria=True)

    entry = list_entries(store, "production", Filter(action="rollout:finish"), 1).items[0]
    assert (entry.reason, entry.record["despite"]) == ("the pool's contract ends", ["stable", "tests"])
    assert entry.record["criteria"]["errors"]["outcome"] == "pass"
    assert verify(store, "production").broken is None


def test_what_the_state_forbids_is_told_before_the_criteria(strict):
    strict.change(rollouts.pause)

    with pytest.raises(Refused, match="is paused, not completed or running"):
        strict.change(finishing.finish)


def test_row_38_thirty_days_count_anew_after_a_rollback_and_after_an_open_breaker(strict, store):
    attachments.attach(store, HERE, RUN, a_cause(strict.at))
    strict.live(25, DAY)
    strict.change(rollouts.roll_back)
    strict.change(rollouts.unlock)
    strict.change(rollouts.start)
    strict.live(1)
    strict.change(rollouts.advance)
    strict.live(20, DAY)
    strict.live(1, extra=(DIVERTED, PROBED))
    strict.live(29, DAY)

    assert "29 of 30 days since a breaker was open" in strict.sentence("stable")
    with pytest.raises(Refused, match=r"1 of 6 success criteria have not passed: 30 days stable"):
        strict.change(finishing.finish)
    strict.live(2, DAY)
    strict.change(finishing.finish)
    assert flags.get_flag(store, HERE).rollout.state is State.FINISHED


def test_where_nobody_asks_for_it_finishing_waits_for_no_criterion(weeks, store):
    weeks.change(rollouts.start)
    weeks.change(rollouts.advance)

    weeks.change(finishing.finish)

    entry = list_entries(store, "production", Filter(action="rollout:finish"), 1).items[0]
    assert entry.record == {}
