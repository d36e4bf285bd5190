"""Is everything that happened told to whom it is for: once each, in order, and nothing that did not happen?"""

from datetime import timedelta

import pytest

from controlplane.domain.destination import Allowed
from controlplane.domain.errors import LeaseLost, Refused
from controlplane.store.lease import Lease
from controlplane.usecases import environments, flags, rollouts, webhooks
from controlplane.usecases.changing import Place
from controlplane.usecases.restoring import renew_sources
from controlplane.usecases.spreading import AT_ONCE, spread
from tests.builders import a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE
from tests.controlplane.usecases.telling import SEAL, URL, World, wanted


@pytest.fixture
def world(store, lease) -> World:
    return World(store, lease)


@pytest.fixture
def bridge(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def test_a_change_is_told_as_its_audit_entry(world, bridge) -> None:
    world.webhook()

    rollouts.roll_back(world.store, HERE, a_cause(reason="it burns"))
    world.beat()

    (told,) = world.mail.told
    assert (told["type"], told["subject"]) == ("throwbar.rollout.roll_back", "dspex-bridge")
    assert told["source"] == "/environments/production"
    assert (told["data"]["reason"], told["data"]["actor"]["name"]) == ("it burns", "ann@example.org")
    assert told["data"]["hash"]
    assert told["id"].endswith(f"_{told['data']['id']}")


def test_what_happened_before_it_was_made_is_not_told(world, bridge) -> None:
    world.webhook()
    world.beat()

    assert world.mail.letters == []


def test_what_happened_between_two_beats_is_for_those_who_were_there_then(world, bridge) -> None:
    world.webhook("first", actions=("flag:*",))
    flags.disable_flag(world.store, HERE, a_cause())
    world.webhook("second", actions=("flag:*",))
    world.beat()

    assert world.mail.types == ["flag.disable"]


def test_a_change_that_was_refused_is_not_told(world, bridge) -> None:
    world.webhook()
    with pytest.raises(Refused):
        rollouts.advance(world.store, HERE, a_cause(), "")
    world.beat()

    assert world.mail.letters == []


def test_each_is_told_once_and_in_order_however_many_there_are(world, bridge) -> None:
    webhook = world.webhook()
    for number in range(AT_ONCE + 5):
        flags.set_operation(world.store, HERE, "echo", {"percent": number % 7 + 1}, a_cause())
    world.beat()
    world.beat()
    world.beat()

    ids = [each["data"]["id"] for each in world.mail.told]
    assert len(ids) == AT_ONCE + 5
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert world.log(webhook)[-1].state == "delivered"


def test_flags_tags_environments_and_actions_choose(world, bridge) -> None:
    environments.create_environment(world.store, "staging", a_cause())
    flags.create_flag(world.store, "production", a_flag_document(key="other", tags=["else"]), a_cause())
    flags.create_flag(world.store, "staging", a_flag_document(), a_cause())
    chosen = {
        "by flag": {"flags": ("other",)},
        "by tag": {"tags": ("bridge",), "environments": ("production",)},
        "by environment": {"environments": ("staging",)},
        "by action": {"actions": ("flag:enable",)},
        "everything": {"actions": ("*",)},
    }
    made = {name: world.webhook(name, **each) for name, each in chosen.items()}
    for environment, flag in (("production", "dspex-bridge"), ("production", "other"), ("staging", "dspex-bridge")):
        flags.disable_flag(world.store, Place(environment, flag), a_cause())
    world.beat()

    def told(name: str) -> list[tuple[str, str | None]]:
        return [(each.environment, each.flag) for each in world.log(made[name]) if each.action == "flag:disable"]

    assert told("by flag") == [("production", "other")]
    assert told("by tag") == [("production", "dspex-bridge")]
    assert told("by environment") == [("staging", "dspex-bridge")]
    assert told("by action") == []
    assert len(told("everything")) == 3


def test_a_new_environment_is_told_of_from_its_first_entry_on(world) -> None:
    world.webhook(actions=("environment:*",))
    environments.create_environment(world.store, "staging", a_cause())
    world.beat()

    assert [(each["type"], each["data"]["environment"]) for each in world.mail.told] == [
        ("throwbar.environment.create", "staging")
    ]


def test_one_that_is_disabled_hears_nothing_and_later_nothing_of_it_either(world, bridge) -> None:
    webhook = world.webhook()
    webhooks.replace_webhook(world.store, webhook.id, wanted(enabled=False), Allowed(), a_cause())
    flags.disable_flag(world.store, HERE, a_cause())
    webhooks.replace_webhook(world.store, webhook.id, wanted(), Allowed(), a_cause())
    flags.enable_flag(world.store, HERE, a_cause())
    world.beat()

    assert world.mail.types == ["flag.enable"]


def test_a_scheduler_that_lost_its_lease_spreads_nothing(world, bridge) -> None:
    world.webhook()
    flags.disable_flag(world.store, HERE, a_cause())
    with pytest.raises(LeaseLost):
        spread(world.store, Lease("scheduler", "another", 99), world.now)
    world.beat()

    assert world.mail.types == ["flag.disable"]


def test_a_restored_database_tells_nothing_that_the_backup_had(world, bridge) -> None:
    webhook = world.webhook(actions=("flag:*", "environment:restore"))
    flags.disable_flag(world.store, HERE, a_cause())
    spread(world.store, world.lease, world.now)
    flags.enable_flag(world.store, HERE, a_cause())

    renew_sources(world.store, a_cause())
    world.beat(timedelta(minutes=1))

    assert world.mail.types == ["environment.restore"]
    assert [(each.action, each.state) for each in world.log(webhook)] == [
        ("flag:disable", "dropped"),
        ("environment:restore", "delivered"),
    ]


def test_without_a_webhook_nothing_is_written(world, bridge) -> None:
    assert spread(world.store, world.lease, world.now) == 0
    with world.store.reading() as uow:
        assert uow.webhooks.cursors() == {}


def test_the_audit_log_knows_whose_address_it_is_and_no_more(world) -> None:
    webhook, secret = webhooks.create_webhook(world.store, wanted(), SEAL, Allowed(), a_cause())
    moved = wanted(url=URL + "-too")
    webhooks.replace_webhook(world.store, webhook.id, moved, Allowed(), a_cause())
    webhooks.rotate_secret(world.store, webhook.id, timedelta(hours=1), SEAL, a_cause())
    webhooks.delete_webhook(world.store, webhook.id, a_cause())

    with world.store.reading() as uow:
        said = repr(list(uow.audit.chain(uow.environments.get("production").id)))
    assert "https://hooks.example.org/…" in said
    assert "another path" in said
    assert "what-opens-it" not in said
    assert secret.removeprefix("whsec_") not in said
