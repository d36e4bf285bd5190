"""Webhooks over the API, and from a change over real HTTP to an endpoint that checks the signature with the official library."""

import time
from datetime import datetime, timedelta

import pytest
from standardwebhooks import WebhookVerificationError

from controlplane.clock import utc_now
from controlplane.domain.delivery import JITTER, WAITS
from controlplane.domain.destination import read_allowed
from controlplane.scheduler import Duties, jobs
from controlplane.settings import Settings
from controlplane.usecases.delivering import Office
from controlplane.usecases.sealing import Seal
from tests.builders import a_flag_document
from tests.infrastructure.webhook_receiver import Answer, Receiver, verified
from web.app import create_app
from web.courier import Courier
from web.secret_key import find_secret_key

HOOKS = "/api/v1/webhooks"
CHAT = {"name": "chat", "url": "https://hooks.example.org/T000/opens", "actions": ["rollout:*", "flag:disable"]}


@pytest.fixture
def settings(sqlite_url) -> Settings:
    return Settings(database_url=sqlite_url, webhook_allow_private="127.0.0.1")


class Clock:
    """The real one, since the official library takes nothing that is older than five minutes; put forward a little."""

    def __init__(self) -> None:
        self.forward = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.forward


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(store, settings, clock):
    return create_app(store, settings, clock)


@pytest.fixture
def receiver():
    started = Receiver()
    yield started
    started.close()


@pytest.fixture
def duties(store, settings, clock, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE_LASTS", timedelta(hours=1))  # the time is the real one, and beats may be late
    courier = Courier(read_allowed("127.0.0.1"), answers_within=60)
    office = Office(courier, Seal(find_secret_key(settings)), clock)
    made = Duties(store, clock, settings.clockwork, "test", office=office)
    made.heartbeat()
    yield made
    made.stop()


def beat(duties: Duties, receiver: Receiver, number: int):
    """Until so many events have arrived."""
    for _ in range(600):
        duties.heartbeat()
        duties.deliver()
        with receiver.arrived:
            if receiver.arrived.wait_for(lambda: len(receiver.got) >= number, 0.1):
                return receiver.got
    raise AssertionError(f"{len(receiver.got)} of {number} arrived")


def settled(api, hook: int, delivery: int, attempts: int = 1) -> dict:
    """A delivery once it is written down what came of it."""
    for _ in range(3000):
        found = api("GET", f"{HOOKS}/{hook}/deliveries/{delivery}").json
        if found["attempts"] >= attempts:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_a_rollback_is_told_signed_and_believed(api, duties, receiver) -> None:
    made = api("POST", HOOKS, {**CHAT, "url": receiver.url}).json
    api("POST", "", a_flag_document())
    api("POST", "/dspex-bridge/rollout/rollback", {"reason": "it burns"})

    (got,) = beat(duties, receiver, 1)

    told = verified(got, made["secret"])
    assert (told["type"], told["subject"], told["data"]["reason"]) == (
        "throwbar.rollout.roll_back",
        "dspex-bridge",
        "it burns",
    )
    assert (got.headers["webhook-id"], got.headers["content-type"]) == (
        told["id"],
        "application/cloudevents+json; charset=utf-8",
    )
    entry = api("GET", "/api/v1/environments/production/audit").json["items"][0]
    assert told["data"] == {"environment": "production", **entry}
    with pytest.raises(WebhookVerificationError):
        verified(got, "whsec_" + "A" * 43 + "=")


def test_after_a_rotation_both_secrets_are_believed_until_the_overlap_is_over(api, duties, receiver) -> None:
    made = api("POST", HOOKS, {**CHAT, "url": receiver.url}).json
    turned = api("POST", f"{HOOKS}/{made['id']}/rotate", {"overlap_hours": 2})
    api("POST", f"{HOOKS}/{made['id']}/test")

    (got,) = beat(duties, receiver, 1)

    assert turned.status_code == 200
    assert turned.json["old_secret_until"]
    assert verified(got, made["secret"]) == verified(got, turned.json["secret"])
    leaked = api("POST", f"{HOOKS}/{made['id']}/rotate", {"overlap_hours": 0}).json
    api("POST", f"{HOOKS}/{made['id']}/test")
    got = beat(duties, receiver, 2)[1]
    assert verified(got, leaked["secret"])
    with pytest.raises(WebhookVerificationError):
        verified(got, turned.json["secret"])


def test_the_log_tells_what_came_of_it_and_sends_it_again(api, duties, receiver, clock) -> None:
    receiver.answers = [Answer(500, b"out of order"), Answer(200, b"fine")]
    hook = api("POST", HOOKS, {**CHAT, "url": receiver.url}).json["id"]
    test = api("POST", f"{HOOKS}/{hook}/test")
    beat(duties, receiver, 1)
    failed = settled(api, hook, test.json["id"])

    assert test.status_code == 201
    assert (failed["state"], failed["status"], failed["answer"]) == ("pending", 500, "out of order")
    assert failed["next_at"] > failed["last_at"]
    assert api("POST", f"{HOOKS}/{hook}/deliveries/{failed['id']}/redeliver").status_code == 409
    assert api("GET", f"{HOOKS}/{hook}").json["failures"] == 1

    clock.forward = timedelta(seconds=WAITS[0] * (1 + JITTER))
    got = beat(duties, receiver, 2)
    done = settled(api, hook, failed["id"], 2)
    assert (done["state"], done["answer"]) == ("delivered", "fine")
    assert got[0].headers["webhook-id"] == got[1].headers["webhook-id"]
    again = api("POST", f"{HOOKS}/{hook}/deliveries/{failed['id']}/redeliver")
    assert (again.status_code, again.json["event"]) == (201, failed["event"])
    assert beat(duties, receiver, 3)[2].headers["webhook-id"] == failed["event"]


def test_a_webhook_is_made_shown_changed_and_deleted(api) -> None:
    made = api("POST", HOOKS, CHAT)
    here = made.headers["Location"]

    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    shown = api("GET", here).json
    assert {**shown, "secret": made.json["secret"]} == made.json
    assert {name: shown[name] for name in CHAT} == CHAT
    assert (shown["environments"], shown["flags"], shown["enabled"]) == (["*"], [], True)
    changed = api("PUT", here, {**CHAT, "enabled": False, "flags": ["dspex-bridge"]}).json
    assert (changed["enabled"], changed["flags"]) == (False, ["dspex-bridge"])
    assert api("GET", HOOKS).json["items"] == [changed]
    assert api("DELETE", here).status_code == 200
    assert api("GET", here).status_code == 404
    assert api("GET", f"{here}/deliveries").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://example.org/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://ann:pw@example.org/"}, "url"),
        ({"actions": []}, "actions"),
        ({"actions": ["rollout:rollback"]}, "actions.0"),
        ({"environments": ["nowhere"]}, "environments.0"),
        ({"environments": []}, "environments"),
        ({"name": " "}, "name"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_accepted_is_named_and_changes_nothing(api, state, changes, field) -> None:
    before = state()

    refused = api("POST", HOOKS, {**CHAT, **changes})

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json["errors"]] == [field]
    assert state() == before
    assert api("GET", HOOKS).json["items"] == []


def test_two_do_not_share_a_name(api) -> None:
    first, second = (api("POST", HOOKS, {**CHAT, "name": name}).json["id"] for name in ("chat", "pager"))
    again = api("POST", HOOKS, {**CHAT, "name": " chat "})
    renamed = api("PUT", f"{HOOKS}/{second}", {**CHAT, "name": "chat"})

    for refused in (again, renamed):
        assert refused.status_code == 422
        assert refused.json["errors"] == [
            {"field": "name", "message": f"is the name of webhook {first}: give this one another"}
        ]
    assert [each["name"] for each in api("GET", HOOKS).json["items"]] == ["chat", "pager"]
    assert api("PUT", f"{HOOKS}/{first}", {**CHAT, "enabled": False}).status_code == 200


def test_an_overlap_has_its_limits(api) -> None:
    hook = api("POST", HOOKS, CHAT).json["id"]

    assert api("POST", f"{HOOKS}/{hook}/rotate", {"overlap_hours": 721}).status_code == 422
    assert api("POST", f"{HOOKS}/{hook}/rotate", {"overlap_hours": -1}).status_code == 422
    assert api("POST", f"{HOOKS}/{hook}/rotate").status_code == 200


def test_the_log_comes_in_pages_and_by_state(api) -> None:
    hook = api("POST", HOOKS, CHAT).json["id"]
    made = [api("POST", f"{HOOKS}/{hook}/test").json["id"] for _ in range(3)]
    first = api("GET", f"{HOOKS}/{hook}/deliveries?limit=2").json
    rest = api("GET", f"{HOOKS}/{hook}/deliveries?limit=2&before={first['next']}").json

    assert [each["id"] for each in [*first["items"], *rest["items"]]] == made[::-1]
    assert rest["next"] is None
    assert api("GET", f"{HOOKS}/{hook}/deliveries?state=failed").json["items"] == []
    assert api("GET", f"{HOOKS}/{hook}/deliveries?state=lost").status_code == 422


def test_one_that_is_disabled_is_sent_no_test(api) -> None:
    hook = api("POST", HOOKS, {**CHAT, "enabled": False}).json["id"]

    refused = api("POST", f"{HOOKS}/{hook}/test")

    assert refused.status_code == 409
    assert refused.json["detail"] == "webhook 'chat' is disabled: enable it first"
