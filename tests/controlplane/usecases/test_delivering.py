"""Does an event arrive at least once, whatever the endpoint and the scheduler do meanwhile?"""

from datetime import timedelta

import pytest

from controlplane.domain.audit import Action
from controlplane.domain.delivery import MOST_ATTEMPTS, WAITS, Outcome, State
from controlplane.domain.destination import Allowed
from controlplane.domain.errors import LeaseLost, NotFound, Refused
from controlplane.domain.webhook import FAILS_FOR
from controlplane.store.lease import Lease
from controlplane.usecases import flags, history, webhooks
from controlplane.usecases.delivering import KEEP, UNREADABLE, Office, deliver_next, forget_deliveries
from controlplane.usecases.history import Filter
from controlplane.usecases.sealing import Seal
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE
from tests.controlplane.usecases.telling import GOOD, SEAL, Mail, World, wanted

BAD = Outcome(500, "no", milliseconds=7)
AWAY = Outcome(error="it refuses connections: nobody listens there")
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(store, lease) -> World:
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    return World(store, lease)


def change(world: World, times: int = 1) -> None:
    for _ in range(times):
        enabled = flags.get_flag(world.store, HERE).enabled
        (flags.disable_flag if enabled else flags.enable_flag)(world.store, HERE, a_cause(world.now))


def test_a_failed_attempt_is_made_again_with_the_same_id_and_the_same_bytes(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [BAD, AWAY, GOOD]
    change(world)
    for wait in (0, WAITS[0], WAITS[1]):
        world.beat(timedelta(seconds=wait))

    first, second, third = world.mail.letters
    assert first.body == second.body == third.body
    assert len({each.headers["webhook-id"] for each in world.mail.letters}) == 1
    assert len({each.headers["webhook-timestamp"] for each in world.mail.letters}) == 3
    (delivery,) = world.log(webhook)
    assert (delivery.state, delivery.attempts, delivery.outcome.status) == (State.DELIVERED, 3, 204)


def test_it_is_not_tried_before_its_time(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [BAD]
    change(world)
    world.beat()
    world.beat(timedelta(seconds=WAITS[0]) - SECOND)

    assert len(world.mail.letters) == 1
    (delivery,) = world.log(webhook)
    assert delivery.next_at == NOW + timedelta(seconds=WAITS[0])
    assert (delivery.outcome.answer, delivery.outcome.milliseconds) == ("no", 7)


class Particular(Mail):
    """Takes everything but what it was sent first."""

    def __call__(self, letter):
        super().__call__(letter)
        return BAD if letter.headers["webhook-id"] == self.letters[0].headers["webhook-id"] else GOOD


def test_an_event_that_no_attempt_brings_over_is_given_up_and_can_be_sent_again_by_hand(world) -> None:
    webhook, world.mail = world.webhook(), Particular()
    change(world)
    world.beat()
    for wait in WAITS:  # other events arrive meanwhile: the endpoint is not given up, only what it cannot take
        world.beat(timedelta(seconds=wait))
        change(world)
        world.beat()

    given_up = world.log(webhook)[0]
    assert (given_up.state, given_up.attempts, given_up.next_at) == (State.FAILED, MOST_ATTEMPTS, None)

    world.mail = Mail()
    again = webhooks.redeliver(world.store, webhook.id, given_up.id, a_cause(world.now))
    world.beat()

    found = webhooks.get_delivery(world.store, webhook.id, again.id)
    assert (found.state, found.event, found.entry) == (State.DELIVERED, given_up.event, given_up.entry)
    assert world.mail.letters[-1].headers["webhook-id"] == given_up.event


def test_the_order_survives_a_short_failure(world) -> None:
    world.webhook()
    world.mail.answers = [BAD, GOOD]
    change(world, 3)
    world.beat()
    world.beat(timedelta(seconds=WAITS[0]))

    ids = [each["data"]["id"] for each in world.mail.told]
    assert ids[0] == ids[1]
    assert ids[1:] == sorted(ids[1:])
    assert len(ids) == 4


def test_a_scheduler_that_dies_between_commit_and_sending_leaves_it_to_the_next(world) -> None:
    webhook = world.webhook()
    change(world)  # committed; whoever led is gone before it looked at the log
    world.beat()

    assert [each.state for each in world.log(webhook)] == ["delivered"]


def test_one_that_dies_between_sending_and_writing_it_down_sends_it_again(world) -> None:
    webhook = world.webhook()
    change(world)

    class Died(Exception):
        pass

    def die(letter):
        world.mail.letters.append(letter)
        raise Died

    die.close = lambda: None
    office = Office(die, SEAL, lambda: world.now)
    world.spread()
    with pytest.raises(Died):
        deliver_next(world.store, world.lease, office, webhook.id)
    world.beat()

    first, second = world.mail.letters
    assert (first.headers, first.body) == (second.headers, second.body)


def test_what_was_cut_is_not_counted(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [None]
    change(world)
    world.beat()

    assert [(each.state, each.attempts) for each in world.log(webhook)] == [("pending", 0)]


def test_one_that_lost_the_lease_while_it_sent_writes_nothing_down(world) -> None:
    webhook = world.webhook()
    change(world)
    world.spread()

    with pytest.raises(LeaseLost):
        deliver_next(world.store, Lease("scheduler", "another", 99), world.office, webhook.id)

    assert [(each.state, each.attempts) for each in world.log(webhook)] == [("pending", 0)]


def test_what_is_deleted_while_it_is_on_its_way_stays_deleted(world) -> None:
    webhook = world.webhook()
    change(world)
    world.spread()

    def delete(_letter):
        webhooks.delete_webhook(world.store, webhook.id, a_cause())
        return GOOD

    delete.close = lambda: None
    assert deliver_next(world.store, world.lease, Office(delete, SEAL, lambda: world.now), webhook.id)

    with pytest.raises(NotFound):
        webhooks.get_webhook(world.store, webhook.id)
    assert not deliver_next(world.store, world.lease, world.office, webhook.id)


def test_a_webhook_that_is_repaired_while_an_attempt_fails_keeps_its_new_life(world) -> None:
    webhook = world.webhook()
    change(world)
    world.spread()

    def repair(_letter):
        moved = wanted(url="https://elsewhere.example.org/")
        webhooks.replace_webhook(world.store, webhook.id, moved, Allowed(), a_cause())
        return Outcome(410)

    repair.close = lambda: None
    deliver_next(world.store, world.lease, Office(repair, SEAL, lambda: world.now), webhook.id)

    after = webhooks.get_webhook(world.store, webhook.id)
    assert (after.wanted.enabled, after.failures) == (True, 0)


def test_an_endpoint_that_fails_for_days_is_disabled_with_an_entry_that_says_why(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [AWAY]
    change(world)
    for _ in range(12):
        world.beat(FAILS_FOR / 10)
        change(world)

    after = webhooks.get_webhook(world.store, webhook.id)
    assert not after.wanted.enabled
    assert "every attempt has failed for 3 days" in after.disabled_because
    assert {each.state for each in world.log(webhook)} == {"dropped"}
    (entry,) = disabling(world)
    assert (entry.actor.name, entry.reason) == ("scheduler", after.disabled_because)
    assert history.verify(world.store, "production").broken is None


def disabling(world: World):
    return history.list_entries(world.store, "production", Filter(action=Action.WEBHOOK_DISABLE)).items


def test_an_endpoint_that_is_gone_is_disabled_at_once(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [Outcome(410)]
    change(world, 3)
    world.beat()
    world.beat(timedelta(days=1))

    assert len(world.mail.letters) == 1
    assert [each.state for each in world.log(webhook)] == ["dropped"] * 3
    assert len(disabling(world)) == 1


def test_a_success_in_between_keeps_it(world) -> None:
    webhook = world.webhook()
    for day in range(10):
        world.mail.answers = [GOOD] if day % 2 else [BAD]
        change(world)
        world.beat(timedelta(days=1))

    assert webhooks.get_webhook(world.store, webhook.id).wanted.enabled


def test_a_dead_endpoint_is_no_matter_of_another(world) -> None:
    dead, well = world.webhook("dead"), world.webhook("well")
    world.mail.answers = [AWAY, GOOD]
    change(world)
    world.beat()

    assert [each.state for each in world.log(dead)] == ["pending"]
    assert [each.state for each in world.log(well)] == ["delivered"]


def test_a_test_is_told_to_one_webhook_alone_whatever_it_selects(world) -> None:
    one, _ = world.webhook(actions=("rollout:*",)), world.webhook("other", actions=("*",))
    made = webhooks.send_test(world.store, one.id, a_cause())
    world.beat()

    assert world.mail.types.count("webhook.test") == 1
    assert webhooks.get_delivery(world.store, one.id, made.id).state == "delivered"


def test_what_is_disabled_or_on_its_way_is_sent_nothing_more(world) -> None:
    webhook = world.webhook()
    world.mail.answers = [BAD]
    change(world)
    world.beat()
    (delivery,) = world.log(webhook)
    with pytest.raises(Refused, match="on its way"):
        webhooks.redeliver(world.store, webhook.id, delivery.id, a_cause())
    webhooks.replace_webhook(world.store, webhook.id, wanted(enabled=False), Allowed(), a_cause())

    with pytest.raises(Refused, match="enable it first"):
        webhooks.redeliver(world.store, webhook.id, delivery.id, a_cause())
    with pytest.raises(Refused, match="enable it first"):
        webhooks.send_test(world.store, webhook.id, a_cause())
    assert [each.state for each in world.log(webhook)] == ["dropped"]


def test_during_an_overlap_a_message_carries_both_signatures(world) -> None:
    webhook = world.webhook()
    webhooks.rotate_secret(world.store, webhook.id, timedelta(hours=1), SEAL, a_cause())
    change(world)
    world.beat()
    change(world)
    world.beat(timedelta(hours=1))

    assert [len(each.headers["webhook-signature"].split()) for each in world.mail.letters] == [2, 1]


def test_under_another_secret_key_it_says_what_to_do(world) -> None:
    webhook = world.webhook()
    change(world)
    world.spread()
    office = Office(world.mail, Seal("quite-another-key"), lambda: world.now, lambda: 0.0)

    deliver_next(world.store, world.lease, office, webhook.id)

    assert world.mail.letters == []
    assert [each.outcome.error for each in world.log(webhook)] == [UNREADABLE]

    webhooks.rotate_secret(world.store, webhook.id, timedelta(), Seal("quite-another-key"), a_cause())
    world.now += timedelta(seconds=WAITS[0])
    assert deliver_next(world.store, world.lease, Office(world.mail, Seal("quite-another-key"), lambda: world.now), 1)
    assert [each.state for each in world.log(webhook)] == ["delivered"]


def test_what_is_kept_of_a_secret_is_sealed(world) -> None:
    webhook, secret = webhooks.create_webhook(world.store, wanted(), SEAL, Allowed(), a_cause())

    assert secret.startswith("whsec_")
    assert secret not in webhook.secret
    assert SEAL.open(webhook.secret) == secret
    assert secret not in repr(webhook)
    assert webhook.secret not in repr(webhook)


def test_the_log_is_kept_for_a_month_and_what_is_on_its_way_longer(world) -> None:
    webhook = world.webhook()
    change(world)
    world.beat()
    world.mail.answers = [BAD]
    change(world)
    world.beat()

    assert forget_deliveries(world.store, NOW + KEEP) == 0
    assert forget_deliveries(world.store, NOW + KEEP + SECOND) == 1
    assert [each.state for each in world.log(webhook)] == ["pending"]
