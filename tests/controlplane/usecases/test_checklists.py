from datetime import timedelta

import pytest

from controlplane.domain.checklist import Phase
from controlplane.domain.errors import InvalidInput, Refused, StaleVersion
from controlplane.domain.rollout import State, Step
from controlplane.usecases import attachments, checklists, flags, history, rollouts
from controlplane.usecases.environments import set_environment
from controlplane.usecases.history import Filter
from controlplane.usecases.snapshots import current_versions
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE, Life

ITEMS = ("usage", "errors", "performance", "optimisations", "capabilities")
RUN = {"commit": "4f2a91c", "result": "passed", "link": "https://ci.example.org/runs/7"}


@pytest.fixture(autouse=True)
def _flag(store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())


def tick_off(store, *items: str, done: bool = True) -> None:
    for item in items:
        document = {"done": done, "evidence": "https://wiki.example.org/bridge"}
        checklists.set_item(store, HERE, Phase.BEFORE, item, document, a_cause())


def require(store, *, items: bool = True, tests: bool = False, criteria: bool = False) -> None:
    checklists.require(store, HERE, items=items, tests=tests, criteria=criteria, cause=a_cause())


def versions(store) -> tuple[int, int]:
    return current_versions(store)[0].version, flags.get_flag(store, HERE).version


def newest(store):
    return history.list_entries(store, "production", Filter(flag=HERE.flag), 1).items[0]


def test_row_8_a_rollout_waits_for_a_required_list_and_starts_once_it_is_done(store):
    require(store)
    tick_off(store, *ITEMS[1:])

    with pytest.raises(Refused, match="Audit how the baseline is used today"):
        rollouts.start(store, HERE, a_cause())
    tick_off(store, "usage")

    assert rollouts.start(store, HERE, a_cause()).rollout.state is State.RUNNING


def test_neither_a_person_nor_time_advances_past_a_point_that_was_opened_again(store, lease):
    rollouts.start(store, HERE, a_cause())
    life = Life(store, lease)
    require(store)

    with pytest.raises(Refused, match="cannot advance 'dspex-bridge'"):
        rollouts.advance(store, HERE, a_cause())
    life.at = NOW + timedelta(days=8)
    life.live(30)

    flag = flags.get_flag(store, HERE)
    assert (flag.rollout.state, flag.rollout.stage) == (State.RUNNING, 0)
    tick_off(store, *ITEMS)
    steps = [step for report in life.live(3) for _, _, step in report.steps]
    assert steps == [Step.ADVANCE]


def test_nothing_stands_between_an_operator_and_the_brake(store):
    rollouts.start(store, HERE, a_cause())
    require(store, tests=True)

    assert rollouts.roll_back(store, HERE, a_cause()).rolled_back


def test_row_37_a_scheduled_start_holds_until_the_tests_pass(store, lease):
    require(store, items=False, tests=True)
    rollouts.start(store, HERE, a_cause(), NOW + timedelta(hours=1))
    life = Life(store, lease)
    life.at = NOW + timedelta(hours=2)

    life.look()
    assert flags.get_flag(store, HERE).rollout.state is State.SCHEDULED
    attachments.attach(store, HERE, RUN, a_cause())
    life.look()

    assert flags.get_flag(store, HERE).rollout.state is State.RUNNING


def test_row_37_nothing_advances_without_tests_that_pass(store, lease):
    rollouts.start(store, HERE, a_cause())
    require(store, items=False, tests=True)
    life = Life(store, lease)
    life.at = NOW + timedelta(days=8)

    for result in (None, {**RUN, "result": "failed"}):
        if result:
            attachments.attach(store, HERE, result, a_cause())
        life.live(3 if result else 30)
        with pytest.raises(Refused, match="Existing tests pass"):
            rollouts.advance(store, HERE, a_cause())
        assert flags.get_flag(store, HERE).rollout.stage == 0
    attachments.attach(store, HERE, RUN, a_cause())

    assert [step for report in life.live(3) for _, _, step in report.steps] == [Step.ADVANCE]


def test_ticking_off_is_written_down_field_by_field_and_services_hear_only_of_what_follows(store):
    before = versions(store)

    tick_off(store, "usage")
    paths = {each.path: each.after for each in newest(store).changes}
    assert paths["checklist.before.items.usage.done"] is True
    assert paths["checklist.before.items.usage.done_by"] == "ann@example.org"
    assert versions(store) == before

    require(store)
    assert "blocked_by" in {each.path for each in newest(store).changes}
    assert versions(store) == (before[0] + 1, before[1] + 1)
    assert history.verify(store, "production").broken is None


def test_what_a_pipeline_attached_is_kept_named_and_written_down(store):
    attachments.attach(store, HERE, RUN, a_cause(reason="nightly"))

    (kept,) = attachments.list_attachments(store, HERE)
    assert (kept["commit"], kept["result"], kept["link"], kept["suite"]) == (*RUN.values(), "tests")
    assert newest(store).action == "evidence:attach"
    assert newest(store).reason == "nightly"


def test_of_the_results_the_newest_two_hundred_are_kept(store):
    with store.writing() as uow:
        environment = uow.environments.get("production")
        given = attachments.parse(attachments.AttachmentDocument, RUN).to_domain("ci", NOW)
        for _ in range(203):
            last = uow.attachments.add(environment.id, HERE.flag, given)
        uow.commit()

    with store.reading() as uow:
        kept = uow.attachments.newest(environment.id, HERE.flag, 500)
    assert len(kept) == 200
    assert kept[0].id == last.id


def test_a_list_that_somebody_changed_meanwhile_is_not_overwritten(store):
    tick_off(store, "usage")

    with pytest.raises(StaleVersion, match="the checklist of flag 'dspex-bridge' is at version 1"):
        checklists.set_item(store, HERE, Phase.BEFORE, "errors", {"done": True}, a_cause(expected=0))


def test_replacing_a_list_keeps_who_did_what_is_still_done(store):
    tick_off(store, "usage")
    shown = checklists.show_checklist(store, HERE, Phase.BEFORE)
    items = [{"id": "own", "title": "Tell the customers"}, shown["items"][0]]

    checklists.replace_checklist(store, HERE, Phase.BEFORE, {"required": True, "items": items}, a_cause())

    own, usage = checklists.show_checklist(store, HERE, Phase.BEFORE)["items"]
    assert (own["title"], own["done"]) == ("Tell the customers", False)
    assert (usage["done_by"], usage["evidence"]) == ("ann@example.org", "https://wiki.example.org/bridge")


@pytest.mark.parametrize(
    "document",
    [
        {"items": [{"id": "a b", "title": "A"}]},
        {"items": [{"id": "new"}]},
        {"items": [{"id": "usage"}, {"id": "usage"}]},
        {"items": [{"id": "usage", "done": "yes"}]},
        {"items": [{"id": "usage", "titel": "A"}]},
        {},
    ],
)
def test_a_list_that_cannot_be_accepted_changes_nothing(store, document):
    before = versions(store)

    with pytest.raises(InvalidInput):
        checklists.replace_checklist(store, HERE, Phase.BEFORE, document, a_cause())

    assert versions(store) == before
    assert checklists.show_checklist(store, HERE, Phase.BEFORE)["version"] == 0


def test_cleaning_up_goes_on_after_the_flag_was_archived(store):
    flags.archive_flag(store, HERE, a_cause())

    checklists.set_item(store, HERE, Phase.AFTER, "archive", {"done": True, "owner": "ml-platform"}, a_cause())

    item = checklists.show_checklist(store, HERE, Phase.AFTER)["items"][-1]
    assert (item["id"], item["done"], item["owner"]) == ("archive", True, "ml-platform")


def test_an_environment_that_asks_why_asks_it_of_what_holds_a_rollout_back_and_of_no_tick(store):
    set_environment(store, "production", a_cause(), require_reason=True)
    silent = a_cause(reason="")

    with pytest.raises(InvalidInput, match="reason: is missing"):
        checklists.require(store, HERE, items=True, tests=True, criteria=False, cause=silent)
    checklists.set_item(store, HERE, Phase.BEFORE, "usage", {"done": True}, silent)
    require(store, tests=True)
    attachments.attach(store, HERE, RUN, silent)

    assert newest(store).reason == "tests passed at 4f2a91c"
