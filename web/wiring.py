"""What a view may ask for: the store, the clock, the settings. Put there once, by the composition root."""

from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from controlplane.clock import Clock
from controlplane.domain.snapshot import Clockwork
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.usecases.sealing import Seal

_PLACE = "throwbar"


@dataclass(frozen=True, slots=True)
class Wiring:
    """One per application; nothing in it belongs to a request."""

    store: Store
    clock: Clock
    settings: Settings
    secret_key: str = field(repr=False)

    @property
    def seal(self) -> Seal:
        return Seal(self.secret_key)

    @property
    def clockwork(self) -> Clockwork:
        return self.settings.clockwork


def install(app: Flask, wiring: Wiring) -> None:
    app.extensions[_PLACE] = wiring


def wired() -> Wiring:
    """The wiring of the application that answers this request."""
    return cast("Wiring", current_app.extensions[_PLACE])
