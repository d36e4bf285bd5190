"""Does a tick that reads many flags at once, and forgets what is no news, see what one look at one flag would see?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from controlplane.domain.flag import Side
from controlplane.domain.snapshot import Clockwork
from controlplane.store.reports import Place
from controlplane.usecases import flags, rounds, ticking
from controlplane.usecases.buckets import sealed_until
from controlplane.usecases.judging import look_at
from controlplane.usecases.remembering import KEPT_EVERY
from controlplane.usecases.retention import CLOSED_AFTER, pack_next
from controlplane.usecases.surveying import survey
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document, an_arm

START = int(NOW.timestamp())
KEYS = ("first", "second", "third")
SIDES = {Side.BASELINE: "python_pool_v2", Side.CANDIDATE: "snakepit"}


@pytest.fixture(autouse=True)
def three(store):
    """Exposed and guarded, and of attempt 1."""
    for key in KEYS:
        document = a_flag_document(key=key, plan=None, operations={"echo": {"percent": 10}})
        flags.create_flag(store, "production", document, a_cause())


def report(store, key, start, bad=0):
    places = {side: Place(key, start, "echo", 1, side, backend, "share", 10_000) for side, backend in SIDES.items()}
    with store.writing() as uow:
        uow.buckets.add(1, {places[Side.BASELINE]: an_arm(900), places[Side.CANDIDATE]: an_arm(100, bad)})
        uow.commit()


def tick_at(store, lease, seconds):
    done = tick(store, lambda: NOW + timedelta(seconds=seconds), Clockwork(), lease)
    assert done.failures == 0
    return done


def watches(store):
    with store.reading() as uow:
        return uow.watches.all(1)


def statements_of(store, doing):
    """The SQL that is executed meanwhile."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        doing()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return seen


def test_flags_of_which_nothing_new_is_heard_cost_no_write(store, lease):
    for key in KEYS:
        report(store, key, START)
    tick_at(store, lease, 31)
    before = watches(store)

    executed = statements_of(store, lambda: [tick_at(store, lease, seconds) for seconds in (33, 36, 45, 55, 70)])

    assert [each for each in executed if "watches" in each and not each.startswith("SELECT")] == []
    assert watches(store) == before


def test_what_was_forgotten_is_read_again(store, lease):
    report(store, "first", START)
    for seconds in range(31, 131, 10):
        tick_at(store, lease, seconds)
    report(store, "first", START + 100)
    report(store, "second", START + 50)
    tick_at(store, lease, 131)

    assert watches(store)["first"].evidence["echo"].candidate_keys == 200
    assert watches(store)["second"].evidence["echo"].candidate_keys == 100


def test_a_watch_of_which_nothing_is_heard_does_not_fall_far_behind(store, lease):
    report(store, "first", START)
    lags = []
    for seconds in range(31, 1000, 10):
        tick_at(store, lease, seconds)
        lags.append(sealed_until(NOW + timedelta(seconds=seconds), Clockwork()) - watches(store)["first"].judged_until)

    assert max(lags) < KEPT_EVERY


def test_a_flag_that_was_changed_is_judged_anew_within_the_same_bucket(store, lease):
    report(store, "first", START)
    tick_at(store, lease, 31)
    limits = {"guardrails": {"min_samples": 100, "max_error_rate": 0.3}}
    flags.patch_flag(store, ticking_place("first"), limits, a_cause(NOW + timedelta(seconds=32)))
    tick_at(store, lease, 33)

    assert {each.guardrail for each in watches(store)["first"].findings} >= {"max_error_rate"}
    assert watches(store)["first"].version == flags.get_flag(store, ticking_place("first")).version


def ticking_place(key):
    return flags.Place("production", key)


@pytest.mark.parametrize("window", [10, 60, 3_600])
def test_a_survey_sees_what_a_unit_of_work_sees_also_where_cells_are_packed(store, lease, window):
    changed = {"guardrails": {"window_seconds": window}}
    for number, key in enumerate(KEYS):
        flags.patch_flag(store, ticking_place(key), changed, a_cause())
        for start in range(START, START + 2_000, 200):
            report(store, key, start + 10 * number, bad=number)
    now = NOW + timedelta(seconds=2_020)
    while pack_next(store, lease, now):
        pass
    known = [flags.get_flag(store, ticking_place(key)) for key in KEYS]
    with store.reading() as uow:
        here = uow.environments.get("production")
        expected = [look_at(uow, here, flag, now, Clockwork()) for flag in known]
    seen = survey(store, here.id, known, sealed_until(now, Clockwork()), START + 2_020 - CLOSED_AFTER)

    assert [look_at(seen, here, flag, now, Clockwork()) for flag in known] == expected
    assert [each.watch.evidence["echo"].baseline_keys for each in expected] == [9_000] * 3


def test_what_was_judged_before_comes_without_its_keys_and_shows_the_same(store, lease):
    for number, key in enumerate(KEYS):
        for start in range(START, START + 60, 10):
            report(store, key, start, bad=10 * number)
    tick_at(store, lease, 61)
    report(store, "first", START + 60, bad=7)
    now = NOW + timedelta(seconds=95)
    with store.reading() as uow:
        here = uow.environments.get("production")
        known = [flags.get_flag(store, ticking_place(key)) for key in KEYS]
        expected = [look_at(uow, here, flag, now, Clockwork()) for flag in known]
    until, judged = sealed_until(now, Clockwork()), watches(store)["first"].judged_until
    seen = survey(store, here.id, known, until, 0)
    cells = seen.between(here.id, "first", until - 60, until)

    assert [look_at(seen, here, flag, now, Clockwork()) for flag in known] == expected
    assert {place.start >= judged for place, arm in cells if arm.key_latency} == {True}
    assert {place.start < judged for place, arm in cells if not arm.key_latency} == {True}


def test_more_flags_than_are_read_at_once_are_all_judged(store, lease, monkeypatch):
    for each in (rounds, ticking):
        monkeypatch.setattr(each, "AT_ONCE", 2)
    for key in KEYS:
        report(store, key, START)

    assert tick_at(store, lease, 31).judged == 3
    assert {key: each.evidence["echo"].candidate_keys for key, each in watches(store).items()} == dict.fromkeys(
        KEYS, 100
    )


def test_one_side_that_was_bad_is_bad_in_the_survey_too(store, lease):
    for start in range(START, START + 60, 10):
        report(store, "first", start, bad=60)
        report(store, "second", start)
    steps = tick_at(store, lease, 91).steps

    assert [(flag, step.value) for _, flag, step in steps] == [("first", "roll_back")]
    assert replace(watches(store)["second"], at=NOW).step.value == "wait"
