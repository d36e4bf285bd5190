"""Books: what a process counted in memory is written down now and then, not at every request."""

from collections.abc import Collection, Mapping
from datetime import datetime

from controlplane.store import Store


def keep_books(store: Store, used: Collection[int], counts: Mapping[str, int], now: datetime) -> None:
    """`used`: ids of the tokens that opened a door since last time; `counts`: what was counted, by counter name."""
    with store.writing() as uow:
        if used:
            uow.tokens.mark_used(used, now)
        for name, amount in counts.items():
            uow.counters.add(name, amount)
        uow.commit()
