"""A webhook with somebody at its other end, for tests of what it is told."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.delivery import Outcome
from controlplane.domain.destination import Allowed
from controlplane.domain.webhook import Selection, Wanted, Webhook
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases import webhooks
from controlplane.usecases.delivering import Letter, Office, deliver_next, due
from controlplane.usecases.sealing import Seal
from controlplane.usecases.spreading import spread
from tests.builders import NOW, a_cause

SEAL = Seal("a-key-that-only-tests-have")
URL = "https://hooks.example.org/T000/what-opens-it"
GOOD = Outcome(204, milliseconds=3)


@dataclass
class Mail:
    """A courier that keeps what it was given, and answers in turn; the last answer for ever."""

    answers: list[Outcome | None] = field(default_factory=lambda: [GOOD])
    letters: list[Letter] = field(default_factory=list)

    def __call__(self, letter: Letter) -> Outcome | None:
        self.letters.append(letter)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None: ...

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.letters]

    @property
    def types(self) -> list[str]:
        return [each["type"].removeprefix("throwbar.") for each in self.told]


@dataclass
class World:
    """A store, a lease, a clock and a courier. `beat` is what the scheduler does, one after the other."""

    store: Store
    lease: Lease
    mail: Mail = field(default_factory=Mail)
    now: datetime = NOW

    @property
    def office(self) -> Office:
        return Office(self.mail, SEAL, lambda: self.now, lambda: 0.0)

    def beat(self, after: timedelta = timedelta()) -> None:
        self.now += after
        self.spread()
        for number in due(self.store, self.now):
            while deliver_next(self.store, self.lease, self.office, number):
                pass

    def spread(self) -> None:
        spread(self.store, self.lease, self.now)

    def webhook(self, name: str = "chat", **chosen: tuple[str, ...]) -> Webhook:
        return webhooks.create_webhook(self.store, wanted(name, **chosen), SEAL, Allowed(), a_cause(self.now))[0]

    def log(self, webhook: Webhook) -> list[Any]:
        """The oldest first."""
        return [*webhooks.list_deliveries(self.store, webhook.id).items][::-1]


def wanted(name: str = "chat", *, url: str = URL, enabled: bool = True, **chosen: tuple[str, ...]) -> Wanted:
    return Wanted(name, url, Selection(**{"actions": ("flag:*", "share:*", "rollout:*"), **chosen}), enabled)
