"""Is everybody told while one endpoint hangs, and does no tick, no heartbeat and no stop wait for it?"""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from controlplane.domain.delivery import Outcome
from controlplane.domain.destination import Allowed
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties, post
from controlplane.scheduler.post import MOST_AT_ONCE
from controlplane.store import Store
from controlplane.usecases import flags, webhooks
from controlplane.usecases.delivering import Letter, Office
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE
from tests.controlplane.usecases.telling import GOOD, SEAL, wanted

DEAD = "https://dead.example.org"
FAILING = "https://failing.example.org"
TIRED = "https://tired.example.org"


class Hanging:
    """Keeps whoever posts to the dead endpoint until it is closed, and to a tired one from the second letter on.

    A failing one answers at once; others get through.
    """

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.hangs = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self.letters: list[str] = []

    def __call__(self, letter: Letter) -> Outcome | None:
        self.letters.append(letter.url)
        if letter.url.startswith(FAILING):
            return Outcome(500)
        if letter.url.startswith(TIRED) and self.letters.count(letter.url) == 1:
            return GOOD
        if letter.url.startswith((DEAD, TIRED)):
            self.hangs.release()
            self.closed.wait(60)
            return None
        self.arrived.release()
        return GOOD

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops sees the end of what it began, however busy the machine is: nothing goes on into the next test."""
    monkeypatch.setattr(post, "ENDS_WITHIN", 60.0)


@pytest.fixture
def courier():
    made = Hanging()
    yield made
    made.close()


@pytest.fixture
def duties(store: Store, courier: Hanging) -> Iterator[Duties]:
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    made = Duties(store, lambda: NOW, Clockwork(), "first", office=Office(courier, SEAL, lambda: NOW))
    made.heartbeat()
    yield made
    made.stop()


def webhook(store: Store, name: str, url: str = "https://well.example.org/") -> None:
    webhooks.create_webhook(store, wanted(name, url=url), SEAL, Allowed(), a_cause())


def beats_until(arrived: threading.Semaphore, duties: Duties, most: int = 600) -> bool:
    """A beat passes over whoever is still being told: it may take another one."""
    for _ in range(most):
        duties.deliver()
        if arrived.acquire(timeout=0.1):
            return True
    return False


def test_a_dead_endpoint_delays_neither_others_nor_the_tick(store, duties, courier) -> None:
    webhook(store, "dead", DEAD)
    webhook(store, "well")
    for change in (flags.disable_flag, flags.enable_flag):
        change(store, HERE, a_cause())
        assert beats_until(courier.arrived, duties)
    assert courier.hangs.acquire(timeout=60)

    duties.heartbeat()
    duties.tick()

    assert duties.lease
    assert duties.counts == {"ticks": 1}
    assert courier.letters.count(DEAD) == 1  # the second event waits behind the first


def test_no_more_than_a_few_are_told_at_once(store, duties, courier) -> None:
    for number in range(MOST_AT_ONCE + 3):
        webhook(store, f"dead {number}", f"{DEAD}/{number}")
    flags.disable_flag(store, HERE, a_cause())
    for _ in range(3):
        duties.deliver()
    for _ in range(MOST_AT_ONCE):
        assert courier.hangs.acquire(timeout=60)

    duties.deliver()

    assert len(courier.letters) == MOST_AT_ONCE


def test_those_whose_first_event_holds_up_the_others_do_not_take_the_turns_of_the_rest(store, duties, courier) -> None:
    for number in range(MOST_AT_ONCE):
        webhook(store, f"failing {number}", f"{FAILING}/{number}")
    for change in (flags.disable_flag, flags.enable_flag):
        change(store, HERE, a_cause())
    assert not beats_until(courier.arrived, duties, most=3)
    webhook(store, "well")
    flags.disable_flag(store, HERE, a_cause())

    assert beats_until(courier.arrived, duties)


def test_when_its_turn_is_over_a_webhook_waits_until_the_others_had_theirs(store, duties, courier, monkeypatch) -> None:
    monkeypatch.setattr(post, "TURN_SECONDS", 0.0)
    for number in range(MOST_AT_ONCE):
        webhook(store, f"tired {number}", f"{TIRED}/{number}")
    webhook(store, "well")
    for change in (flags.disable_flag, flags.enable_flag):
        change(store, HERE, a_cause())

    assert beats_until(courier.arrived, duties)


def test_whoever_stops_cuts_what_hangs_and_the_next_one_sends_it_again(store, duties, courier) -> None:
    webhook(store, "dead", DEAD)
    flags.disable_flag(store, HERE, a_cause())
    duties.deliver()
    assert courier.hangs.acquire(timeout=60)

    duties.stop()

    assert not [each for each in threading.enumerate() if each.name.startswith("webhook-")]
    found = webhooks.list_deliveries(store, 1).items
    assert [(each.state, each.attempts) for each in found] == [("pending", 0)]


def test_one_that_does_not_lead_tells_nobody(store, duties, courier) -> None:
    webhook(store, "well")
    flags.disable_flag(store, HERE, a_cause())
    second = Duties(store, lambda: NOW, Clockwork(), "second", office=Office(courier, SEAL, lambda: NOW))
    second.heartbeat()
    second.deliver()

    assert second.lease is None
    assert webhooks.list_deliveries(store, 1).items == ()


def test_without_an_office_it_is_left_to_others(store) -> None:
    duties = Duties(store, lambda: NOW, Clockwork(), "first")
    duties.heartbeat()
    duties.deliver()

    assert duties.counts == {}


def test_a_month_later_the_log_is_forgotten(store, courier) -> None:
    webhook(store, "well")
    now = NOW
    duties = Duties(store, lambda: now, Clockwork(), "first", office=Office(courier, SEAL, lambda: now))
    duties.heartbeat()
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    duties.deliver()
    assert courier.arrived.acquire(timeout=60)
    duties.stop()
    assert len(webhooks.list_deliveries(store, 1).items) == 1

    now += timedelta(days=31)
    duties.heartbeat()
    duties.forget()

    assert webhooks.list_deliveries(store, 1).items == ()
