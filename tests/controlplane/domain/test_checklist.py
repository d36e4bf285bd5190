from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.attachment import Attachment, newest_of_each
from controlplane.domain.checklist import Item, Phase, done, open_points, reopened, starting, unfinished
from controlplane.domain.findings import Consequence
from tests.builders import NOW


def a_run(*, suite: str = "tests", passed: bool = True, number: int = 1, commit: str = "4f2a91c") -> Attachment:
    return Attachment(suite, passed, commit, "", "", "ci", NOW, number)


@pytest.mark.parametrize("phase", Phase)
def test_a_flag_starts_with_the_five_points_of_the_guide_all_open(phase):
    items = starting(phase).items

    assert len(items) == 5
    assert all(item.is_open and item.required for _, item in items)


def test_a_list_that_nobody_requires_holds_nothing_back():
    assert open_points(starting(Phase.BEFORE), []) == ()


def test_a_required_list_names_its_open_required_items():
    usage, *rest = starting(Phase.BEFORE).items
    items = (usage, *((name, done(item, "ann", NOW)) for name, item in rest), ("extra", Item("Extra", required=False)))
    checklist = replace(starting(Phase.BEFORE), required=True, items=items)

    assert open_points(checklist, []) == ("Audit how the baseline is used today",)


@pytest.mark.parametrize(
    ("runs", "points"),
    [
        ([], 1),
        ([a_run()], 0),
        ([a_run(passed=False)], 1),
        ([a_run(passed=False), a_run(number=2)], 0),
        ([a_run(), a_run(number=2, passed=False)], 1),
        ([a_run(), a_run(suite="browser", passed=False)], 1),
    ],
)
def test_required_tests_hold_back_until_the_newest_run_of_each_suite_has_passed(runs, points):
    checklist = replace(starting(Phase.BEFORE), tests_required=True)

    assert len(open_points(checklist, newest_of_each(runs))) == points


def test_a_test_that_fails_is_named_with_its_commit():
    checklist = replace(starting(Phase.BEFORE), tests_required=True)

    assert open_points(checklist, [a_run(passed=False)]) == ("Existing tests pass (tests failed at 4f2a91c)",)


def test_who_ticked_an_item_off_first_stays_the_one_who_did():
    item = done(done(Item("Look"), "ann", NOW), "bob", NOW.replace(year=2027))

    assert (item.done_by, item.done_at) == ("ann", NOW)
    assert reopened(item).is_open


def test_only_a_rollout_under_way_is_held():
    (held,) = unfinished(("Look",), live=True)

    assert held.consequence is Consequence.HOLD
    assert "Look" in held.sentence
    assert not list(unfinished(("Look",), live=False))
    assert not list(unfinished((), live=True))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_the_last_word_of_each_suite_is_its_newest_run_in_whatever_order_they_come(told):
    runs = [a_run(suite=suite, passed=passed, number=number) for number, (suite, passed) in enumerate(told)]

    newest = newest_of_each(runs[::-1])

    assert {each.suite: each.passed for each in newest} == dict(told)


@given(st.lists(st.sampled_from(["usage", "errors", "new-1", "new-2"]), min_size=1, max_size=10))
def test_adding_changing_and_removing_keep_the_order_and_one_item_an_id(names):
    checklist = starting(Phase.BEFORE)
    for name in names:
        checklist = checklist.without(name) if checklist.item(name) else checklist.with_item(name, Item(name))
        checklist = checklist.with_item("usage", Item("Usage", owner="ann"))

    ids = [name for name, _ in checklist.items]
    assert len(ids) == len(set(ids))
    assert checklist.item("usage") == Item("Usage", owner="ann")
