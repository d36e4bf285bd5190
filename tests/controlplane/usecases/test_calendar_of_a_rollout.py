"""The scheduler obeys the calendar: dates, hours, freezes and appointments. Brakes do not."""

from datetime import timedelta

import pytest

from controlplane.domain.appointment import Deed
from controlplane.domain.audit import ActorKind
from controlplane.domain.errors import InvalidInput, NotFound, Refused
from controlplane.domain.rollout import State, Step
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import appointments, flags, freezes, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document

HERE = Place("production", "dspex-bridge")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def create(store):
    """A flag that advances by time alone, by the minute; its plan may say more."""

    def created(plan=None, **changes):
        stages = {**a_plan_document(1, 10, 50, bake_seconds=60), **(plan or {})}
        document = a_flag_document(guardrails=None, plan=stages, **changes)
        return flags.create_flag(store, "production", document, a_cause())

    return created


@pytest.fixture
def look(store, lease):
    return lambda at: [step for _, _, step in tick(store, lambda: at, Clockwork(), lease).steps]


@pytest.fixture
def freeze(store):
    def frozen(start, end, name="Christmas"):
        document = {"name": name, "starts_at": start.isoformat(), "ends_at": end.isoformat()}
        return freezes.add_freeze(store, "production", document, a_cause())

    return frozen


@pytest.fixture
def appoint(store):
    def appointed(deed, at, **rest):
        return appointments.make_appointment(store, HERE, {"deed": deed, "at": at.isoformat(), **rest}, a_cause())

    return appointed


def now_of(store):
    return flags.get_flag(store, HERE)


def waiting_for(store, at):
    return describe_flag(store, HERE, at)["rollout"]["waiting_for"]


def newest(store):
    return list_entries(store, "production", Filter(), 1).items[0]


def test_a_start_that_was_set_happens_at_its_time_in_the_name_of_whoever_set_it(store, create, look):
    create()
    rollouts.start(store, HERE, a_cause(), NOW + DAY)

    assert look(NOW + DAY - HOUR) == []
    assert look(NOW + DAY) == [Step.START]
    assert (now_of(store).rollout.state, now_of(store).rollout.stage) == (State.RUNNING, 0)
    assert now_of(store).rollout.started_by == "ann@example.org"
    assert newest(store).actor.kind is ActorKind.SCHEDULER


def test_a_start_of_a_disabled_flag_holds_and_says_why(store, create, look):
    create()
    rollouts.start(store, HERE, a_cause(), NOW + HOUR)
    flags.disable_flag(store, HERE, a_cause())

    assert look(NOW + HOUR) == look(NOW + 2 * HOUR) == []
    assert "is due, but flag 'dspex-bridge' is disabled: enable it" in waiting_for(store, NOW + 2 * HOUR)
    flags.enable_flag(store, HERE, a_cause())
    assert look(NOW + 3 * HOUR) == [Step.START]


def test_nothing_advances_in_a_freeze_and_the_time_it_took_is_caught_up(store, create, look, freeze):
    create()
    rollouts.start(store, HERE, a_cause())
    freeze(NOW, NOW + DAY)

    assert look(NOW + HOUR) == []
    assert waiting_for(store, NOW + HOUR) == "has baked: frozen until 2026-01-06 09:00 UTC: Christmas"
    assert look(NOW + DAY) == [Step.ADVANCE]
    assert now_of(store).rollout.stage == 1  # entered when the freeze ended, not an hour into it


def test_a_freeze_that_was_taken_back_holds_nothing(store, create, look, freeze):
    create()
    rollouts.start(store, HERE, a_cause())
    frozen = freeze(NOW, NOW + DAY)
    freezes.remove_freeze(store, "production", frozen.id, a_cause())

    assert look(NOW + HOUR) == [Step.ADVANCE]
    assert freezes.list_freezes(store, "production") == []


def test_a_plan_moves_on_in_its_hours_only(store, create, look):
    create({"windows": [{"days": ["mon", "tue"], "opens": "09:00", "closes": "10:00"}]})
    rollouts.start(store, HERE, a_cause(NOW + HOUR))  # Monday, 10:00

    assert look(NOW + 2 * HOUR) == []
    assert look(NOW + DAY) == [Step.ADVANCE]


def test_a_rollback_waits_for_no_freeze(store, create, freeze):
    create()
    rollouts.start(store, HERE, a_cause())
    freeze(NOW, NOW + DAY)

    assert rollouts.roll_back(store, HERE, a_cause()).rolled_back


@pytest.mark.parametrize(
    "case",
    [
        (Deed.ENABLE, {}, lambda flag: flag.enabled),
        (Deed.DISABLE, {}, lambda flag: not flag.enabled),
        (Deed.PERCENT, {"operation": "echo", "percent": 5}, lambda flag: flag.operations["echo"].share == 5000),
        (Deed.START, {}, lambda flag: flag.rollout.state is State.RUNNING),
        (Deed.ROLLBACK, {}, lambda flag: flag.rolled_back),
        (Deed.ROLLBACK, {"operation": "echo"}, lambda flag: flag.operations["echo"].rolled_back),
    ],
)
def test_an_appointment_is_kept_at_its_time_and_once(store, create, look, appoint, case):
    deed, rest, is_done = case
    create(enabled=deed is not Deed.ENABLE)
    made = appoint(deed.value, NOW + HOUR, reason="as agreed", **rest)

    look(NOW + HOUR - timedelta(seconds=1))
    assert not is_done(now_of(store))
    look(NOW + HOUR)
    look(NOW + HOUR)

    assert is_done(now_of(store))
    assert newest(store).reason == "appointed by ann@example.org: as agreed"
    (over,) = appointments.list_appointments(store, HERE)
    assert (over.id, over.over_at, over.outcome) == (made.id, NOW + HOUR, "done")
    assert verify(store, "production").broken is None


def test_an_appointment_that_is_refused_says_why_and_is_not_tried_again(store, create, look, appoint):
    create()
    appoint("percent", NOW + HOUR, operation="echo", percent=5)
    rollouts.start(store, HERE, a_cause())

    look(NOW + HOUR)
    look(NOW + 2 * HOUR)

    (over,) = appointments.list_appointments(store, HERE)
    assert "refused: " in over.outcome
    assert "pause it first" in over.outcome
    assert over.over_at == NOW + HOUR


def test_an_appointment_waits_for_the_end_of_a_freeze_unless_it_is_a_brake(store, create, look, appoint, freeze):
    create()
    freeze(NOW, NOW + DAY)
    appoint("percent", NOW + HOUR, operation="echo", percent=5)
    appoint("disable", NOW + HOUR)

    look(NOW + 2 * HOUR)
    assert (now_of(store).enabled, now_of(store).operations["echo"].share) == (False, 0)
    look(NOW + DAY)
    assert now_of(store).operations["echo"].share == 5000


def test_an_appointment_can_be_called_off_until_it_is_over(store, create, look, appoint):
    create()
    made = appoint("disable", NOW + HOUR)

    over = appointments.cancel_appointment(store, HERE, made.id, a_cause())
    look(NOW + HOUR)

    assert over.outcome == "cancelled by ann@example.org"
    assert now_of(store).enabled
    with pytest.raises(Refused, match="is over: cancelled by"):
        appointments.cancel_appointment(store, HERE, made.id, a_cause())
    with pytest.raises(NotFound):
        appointments.cancel_appointment(store, HERE, 999, a_cause())


@pytest.mark.parametrize(
    ("document", "field", "sentence"),
    [
        ({"deed": "disable", "at": NOW.isoformat()}, "at", "is in the past"),
        ({"deed": "disable"}, "at", "is missing"),
        ({"deed": "explode", "at": (NOW + DAY).isoformat()}, "deed", "should be"),
        ({"deed": "percent", "at": (NOW + DAY).isoformat(), "percent": 5}, "operation", "is missing"),
        ({"deed": "percent", "at": (NOW + DAY).isoformat(), "operation": "ecko", "percent": 5}, "operation", "'ecko'"),
        ({"deed": "disable", "at": (NOW + DAY).isoformat(), "percent": 5}, "percent", "means nothing for disable"),
    ],
)
def test_an_appointment_that_makes_no_sense_is_refused(store, create, document, field, sentence):
    create()

    with pytest.raises(InvalidInput) as refused:
        appointments.make_appointment(store, HERE, document, a_cause())

    assert any(each.field == field and sentence in each.message for each in refused.value.errors)
    assert appointments.list_appointments(store, HERE) == []


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"ends_at": NOW.isoformat()}, "ends_at", "must be after"),
        ({"name": "  "}, "name", "is empty"),
        ({"starts_at": (NOW - 2 * DAY).isoformat(), "ends_at": (NOW - DAY).isoformat()}, "ends_at", "is over already"),
        ({"starts_at": "2026-01-31"}, "starts_at", "an instant with its offset"),
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused(store, changes, field, sentence):
    document = {"name": "audit", "starts_at": NOW.isoformat(), "ends_at": (NOW + DAY).isoformat(), **changes}

    with pytest.raises(InvalidInput) as refused:
        freezes.add_freeze(store, "production", document, a_cause())

    assert any(each.field == field and sentence in each.message for each in refused.value.errors)
    assert freezes.list_freezes(store, "production") == []
