"""By which keys is each door of the pages opened, and from where? One that is missing here fails a test."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from controlplane.clock import utc_now
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.delivery import State
from controlplane.domain.destination import read_allowed
from controlplane.store.audit import Filter
from controlplane.usecases import flags, freezes, people, rollouts, webhooks
from controlplane.usecases.changing import Place
from controlplane.usecases.disabling import disable_person
from controlplane.usecases.environments import set_environment
from controlplane.usecases.own_tokens import create_own_token
from controlplane.usecases.spreading import delivery_of
from controlplane.usecases.tokens import create_token
from tests.browser.serving import ANN, NOBODY, Server
from tests.builders import a_cause, a_data_flag_document, a_feature_document, a_flag_document, a_plan_document

HERE = "keys"
Act = Callable[[Server, Place], object]


@dataclass(frozen=True)
class Door:
    """`page` may name the flag that is made for it, after which `before` is done to that flag; `typed` by field."""

    page: str
    typed: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Act, ...] = ()
    flag: Mapping[str, object] = field(default_factory=dict)
    who: str = "ann"  # whose session no test ends; or "alone", somebody of the door's own, or "nobody"


def _rollout(verb: str) -> Act:
    return lambda server, place: getattr(rollouts, verb)(server.store, place, a_cause(utc_now()))


def _disable(server: Server, place: Place) -> None:
    flags.disable_flag(server.store, place, a_cause(utc_now()))


def _change(server: Server, place: Place) -> None:
    flags.set_operation(server.store, place, "echo", {"percent": 7}, a_cause(utc_now()))


def _freeze(server: Server, place: Place) -> None:
    span = {"starts_at": "2099-12-20T00:00:00Z", "ends_at": "2099-12-27T00:00:00Z"}
    freezes.add_freeze(server.store, HERE, {"name": place.flag, **span}, a_cause(utc_now()))


def _token(server: Server, place: Place) -> None:
    create_token(server.store, TokenRequest(TokenKind.SDK, place.flag, HERE), a_cause(utc_now()))


def _colleague(server: Server, place: Place) -> None:
    """The first of the list, so that nobody is shut out whom another test needs."""
    people.add_person(server.store, f"a-{place.flag}@example.org", Role.VIEWER, a_cause(utc_now()))


def _former_colleague(server: Server, place: Place) -> None:
    _colleague(server, place)
    person = people.find_person(server.store, f"a-{place.flag}@example.org")
    disable_person(server.store, person.id, a_cause(utc_now()))


def _reasons(server: Server, place: Place) -> None:
    """The door takes it back: where an environment asks why, so do people and tokens of every environment."""
    set_environment(server.store, "reasons", a_cause(utc_now()), require_reason=True)


def _missing(server: Server, place: Place) -> None:
    """Writes that the candidate's store never got."""
    missed = {(place.flag, "write"): {"writes": 2, "candidate_missing": 2}}
    with server.store.writing() as uow:
        uow.examples.add_divergences(uow.environments.get(HERE).id, missed, utc_now())
        uow.commit()


def _own_token(server: Server, place: Place) -> None:
    wanted = TokenRequest(TokenKind.ADMIN, place.flag, HERE, Role.VIEWER)
    create_own_token(server.store, people.find_person(server.store, ANN), wanted, a_cause(utc_now()))


def _given_up(server: Server, place: Place) -> None:
    """A delivery that no attempt brought over, in the log of the webhook that was made for the door."""
    with server.store.writing() as uow:
        environment = uow.environments.get(HERE)
        (entry,) = uow.audit.newest(environment.id, Filter(), 1)
        (webhook,) = (each for each in uow.webhooks.all() if each.wanted.name == place.flag)
        given_up = replace(delivery_of(environment, entry, webhook.id, utc_now()), state=State.FAILED, next_at=None)
        uow.deliveries.add(environment.id, [given_up])
        uow.commit()


def _webhook_disabled(server: Server, place: Place) -> None:
    (webhook,) = (each for each in webhooks.list_webhooks(server.store) if each.wanted.name == place.flag)
    off = replace(webhook.wanted, enabled=False)
    webhooks.replace_webhook(server.store, webhook.id, off, read_allowed("127.0.0.1"), a_cause(utc_now()))


FLAG = "/environments/keys/flags/{flag}"
HOOK = "/webhooks/{webhook}"
START, ADVANCE, PAUSE = _rollout("start"), _rollout("advance"), _rollout("pause")
SOON = {"plan": a_plan_document(10, 98, bake_seconds=60)}
LAST = {"plan": a_plan_document(98, bake_seconds=604_800)}
APPROVAL = {
    "plan": {
        "stages": [{"percent": 10, "bake_seconds": 604_800, "approval": True}, {"percent": 98, "bake_seconds": 60}]
    }
}
DATA = a_data_flag_document(guardrails=None)
PASSWORD = "correct horse battery"

# The name of the door, and of the verb where it has one.
DOORS: dict[str, Door] = {
    "ui.signing_in.by_password": Door("/sign-in", {"email": "{email}", "password": PASSWORD}, who="nobody"),
    "ui.signing_in.use_link": Door("{link}", who="nobody"),
    "ui.signing_in.out": Door("/environments/keys/flags", who="alone"),
    "ui.profile.set_password": Door("/profile", {"current": PASSWORD, "password": PASSWORD + "!"}, who="alone"),
    "ui.profile.sign_out_everywhere": Door("/profile", who="alone"),
    "ui.profile.end_session": Door("/profile", who="alone"),
    "ui.own_tokens.create": Door("/profile", {"name": "made by keys"}),
    "ui.own_tokens.revoke": Door("/profile", before=(_own_token,)),
    "ui.checklists.set_item": Door(FLAG + "/checklist", {"owner": "ann"}),
    "ui.checklists.add_item": Door(FLAG + "/checklist", {"title": "Tell the on-call team"}),
    "ui.checklists.remove_item": Door(FLAG + "/checklist"),
    "ui.checklists.require": Door(FLAG + "/checklist"),
    "ui.calendar.add_freeze": Door("/environments/keys/calendar", {"name": "Easter", "starts_at": "04012099\t0900AM", "ends_at": "04022099\t0900AM"}),
    "ui.calendar.remove_freeze": Door("/environments/keys/calendar", before=(_freeze,)),
    "ui.calendar.set_reasons": Door("/environments/reasons/calendar", {"reason": "enough"}, before=(_reasons,)),
    "ui.environments.create": Door("/environments", {"name": "made-by-keys"}),
    "ui.start.make_token": Door("/environments/keys/start"),
    "ui.definitions.create": Door("/environments/keys/new-flag", {"key": "made-by-keys", "baseline": "old", "candidate": "new"}),
    "ui.definitions.save": Door(FLAG + "/edit", {"description": "by keys"}),
    "ui.switches.enable": Door(FLAG, before=(_disable,)),
    "ui.switches.disable": Door(FLAG, {"reason": "by keys"}),
    "ui.switches.archive": Door(FLAG),
    "ui.switches.add_operation": Door(FLAG, {"operation": "search"}),
    "ui.switches.set_percent": Door(FLAG, {"percent": "5"}),
    "ui.switches.set_routing": Door(FLAG, {"attempts": "2"}),
    "ui.switches.remove_operation": Door(FLAG),
    "ui.switches.revert": Door(FLAG, before=(_change,)),
    "ui.features.set_targeting": Door(FLAG, {"targeting": '{{"var": "variant"}}'}, flag={"kind": "feature", "targeting": None}),
    "ui.rollouts.act/start": Door(FLAG),
    "ui.rollouts.act/pause": Door(FLAG, before=(START,)),
    "ui.rollouts.act/resume": Door(FLAG, before=(START, PAUSE)),
    "ui.rollouts.act/advance": Door(FLAG, before=(START,)),
    "ui.rollouts.act/step-back": Door(FLAG, before=(START, ADVANCE), flag=SOON),
    "ui.rollouts.act/approve": Door(FLAG, before=(START,), flag=APPROVAL),
    "ui.rollouts.act/abort": Door(FLAG, before=(START,)),
    "ui.rollouts.act/rollback": Door(FLAG, {"reason": "by keys"}, before=(START,)),
    "ui.rollouts.act/unlock": Door(FLAG, before=(START, _rollout("roll_back"))),
    "ui.rollouts.act/finish": Door(FLAG, before=(START,), flag=LAST),
    "ui.rollouts.act/reconciled": Door(FLAG, {"reason": "by keys"}, before=(START, _missing), flag=DATA),
    "ui.people.add": Door("/people", {"email": "made-by-keys@example.org"}),
    "ui.people.set_role": Door("/people"),
    "ui.people.disable": Door("/people", before=(_colleague,)),
    "ui.people.enable": Door("/people", before=(_former_colleague,)),
    "ui.people.link": Door("/people"),
    "ui.webhooks.create": Door("/webhooks", {"name": "made by keys", "url": NOBODY}),
    "ui.webhooks.save": Door(HOOK, {"flags": "dspex-bridge"}),
    "ui.webhooks.switch": Door(HOOK, before=(_webhook_disabled,)),
    "ui.webhooks.delete": Door(HOOK),
    "ui.webhooks.rotate": Door(HOOK),
    "ui.webhooks.test": Door(HOOK),
    "ui.webhooks.redeliver": Door(HOOK, before=(_given_up,)),
    "ui.tokens.create": Door("/tokens", {"name": "made by keys"}),
    "ui.tokens.revoke": Door("/tokens", before=(_token,)),
}  # fmt: skip


def prepared(server: Server, name: str) -> tuple[str, dict[str, str]]:
    """The address of the page from which the door is opened, with what it needs in place; and what is typed there."""
    door, place = DOORS[name], Place(HERE, key_of(name))
    made = a_feature_document if door.flag.get("kind") == "feature" else a_flag_document
    flags.create_flag(server.store, HERE, made(**{**door.flag, "key": place.flag}), a_cause(utc_now()))
    webhook = server.webhook(place.flag).id if door.page == HOOK else 0
    for act in door.before:
        act(server, place)
    email = owner(name)
    link = server.link(email).removeprefix(server.url) if door.who != "ann" else ""
    if PASSWORD in door.typed.values():
        people.set_password(server.store, people.find_person(server.store, email).id, PASSWORD, a_cause(utc_now()))
    typed = {field: value.format(email=email) for field, value in door.typed.items()}
    return server.url + door.page.format(flag=place.flag, link=link, webhook=webhook), typed


def owner(name: str) -> str:
    """The e-mail address of somebody who is there for this door alone."""
    return f"{key_of(name)}@example.org"


def key_of(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name)
