from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.audit import GENESIS, SCHEDULER, Action, AuditEntry, Change, first_break
from controlplane.store.audit import Filter
from tests.builders import ANN, NOW

ENTRY = AuditEntry(
    id=0,
    at=NOW,
    actor=ANN,
    action=Action.SHARE_SET,
    flag="dspex-bridge",
    reason="because “it” is 5 % – now",
    changes=(Change("operations.echo.percent", 0, 0.1), Change("tags", None, ["a"])),
    version=2,
    request_id="r-1",
    record={"log_evidence": 1e-05, "findings": [{"numbers": {"value": None}}]},
)


@pytest.fixture
def uow(store):
    with store.writing() as opened:
        opened.environments.add("staging", "s", NOW)
        yield opened


def append(uow, *entries, environment="staging"):
    return [uow.audit.append(uow.environments.get(environment), entry) for entry in entries]


def test_entries_are_numbered_chained_and_come_back_as_they_were_sealed(uow):
    written = append(uow, ENTRY, replace(ENTRY, at=NOW + timedelta(microseconds=1)))
    staging = uow.environments.get("staging")

    read = list(uow.audit.chain(staging.id))
    assert read == written
    assert [entry.id for entry in read] == [1, 2]
    assert [entry.previous for entry in read] == [GENESIS, read[0].hash]
    assert (staging.audit_length, staging.audit_head) == (2, read[1].hash)
    assert first_break(read, "staging", head=staging.audit_head, length=2) is None


def test_each_environment_has_its_own_chain(uow):
    before = uow.environments.get("production")
    append(uow, ENTRY)

    assert uow.environments.get("production") == before
    assert [each.id for each in append(uow, ENTRY, environment="production")] == [before.audit_length + 1]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(), [4, 3, 2, 1]),
        (Filter(flag="dspex-bridge"), [4, 2, 1]),
        (Filter(actor="scheduler"), [3]),
        (Filter(action="flag:disable"), [4]),
        (Filter(since=NOW + timedelta(seconds=1)), [4, 3, 2]),
        (Filter(until=NOW + timedelta(seconds=1)), [1]),
        (Filter(before=3), [2, 1]),
        (Filter(flag="dspex-bridge", before=4, since=NOW + timedelta(seconds=1)), [2]),
        (Filter(flag="nothing"), []),
    ],
)
def test_entries_are_found_by_every_field_of_a_filter(uow, wanted, ids):
    second = timedelta(seconds=1)
    append(
        uow,
        ENTRY,
        replace(ENTRY, at=NOW + second),
        replace(ENTRY, at=NOW + 2 * second, actor=SCHEDULER, flag="other"),
        replace(ENTRY, at=NOW + 3 * second, action=Action.FLAG_DISABLE),
    )
    staging = uow.environments.get("staging")

    assert [entry.id for entry in uow.audit.newest(staging.id, wanted, 10)] == ids


def test_the_newest_entry_of_each_flag_is_found_and_any_by_its_number(uow):
    append(uow, ENTRY, replace(ENTRY, flag="other"), ENTRY, replace(ENTRY, flag=None))
    staging = uow.environments.get("staging")

    assert {flag: entry.id for flag, entry in uow.audit.newest_by_flag(staging.id).items()} == {
        "dspex-bridge": 3,
        "other": 2,
    }
    assert uow.audit.get(staging.id, 2).flag == "other"
    assert uow.audit.get(staging.id, 9) is None


def test_the_log_can_only_be_appended_to(uow):
    changing = {name for name in dir(uow.audit) if not name.startswith("_")} - {
        "newest",
        "after",
        "newest_by_flag",
        "decisions",
        "moves",
        "get",
        "chain",
    }

    assert changing == {"append"}


def test_the_moves_of_an_attempt_are_those_since_its_start_and_of_this_flag_alone(uow):
    def step(action, flag="dspex-bridge", **after):
        return replace(
            ENTRY,
            action=action,
            flag=flag,
            changes=tuple(Change(f"rollout.{name}", None, to) for name, to in after.items()),
        )

    append(
        uow,
        step(Action.ROLLOUT_START, stage=0),
        step(Action.ROLLOUT_ADVANCE, stage=1),
        step(Action.ROLLOUT_START, stage=0),
        step(Action.ROLLOUT_HOLD),
        step(Action.SHARE_SET),
        step(Action.ROLLOUT_ADVANCE, stage=1),
        step(Action.ROLLOUT_START, flag="other", stage=0),
        step(Action.ROLLOUT_PAUSE, state="paused"),
    )
    staging = uow.environments.get("staging").id

    moves = uow.audit.moves(staging, "dspex-bridge", 9)
    newest = uow.audit.moves(staging, "dspex-bridge", 1)

    assert [(each.action, each.after) for each in moves] == [
        (Action.ROLLOUT_START, {"rollout.stage": 0}),
        (Action.ROLLOUT_ADVANCE, {"rollout.stage": 1}),
        (Action.ROLLOUT_PAUSE, {"rollout.state": "paused"}),
    ]
    assert moves[0].at == NOW
    assert newest == moves[-1:]
    assert uow.audit.moves(staging, "never-started", 9) == []
