"""Webhooks as commands see them: in the database, or behind a server."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from controlplane.documents.fields import parse
from controlplane.documents.webhooks import RotateDocument, WebhookDocument, delivery_document, webhook_document
from controlplane.domain.delivery import State
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.usecases import webhooks
from controlplane.usecases.changing import Cause
from controlplane.usecases.sealing import Seal
from web.cli.plane import Answer, Page
from web.secret_key import find_secret_key

WRITTEN = ("name", "url", "environments", "flags", "tags", "actions")


class LocalWebhooks:
    """In an open store; the secret key is asked for only where a secret is made."""

    def __init__(self, store: Store, settings: Settings, because: Callable[[str], Cause]) -> None:
        self._store = store
        self._settings = settings
        self._because = because

    def list(self) -> list[Answer]:
        return [webhook_document(each) for each in webhooks.list_webhooks(self._store)]

    def create(self, document: Mapping[str, Any], reason: str) -> Answer:
        wanted, allowed = parse(WebhookDocument, document).to_domain(), self._settings.allowed
        new, secret = webhooks.create_webhook(self._store, wanted, self._seal(), allowed, self._because(reason))
        return {**webhook_document(new), "secret": secret}

    def switch(self, number: int, reason: str, *, enabled: bool) -> Answer:
        before = webhook_document(webhooks.get_webhook(self._store, number))
        wanted = parse(WebhookDocument, _switched(before, enabled=enabled)).to_domain()
        why = self._because(reason)
        return webhook_document(webhooks.replace_webhook(self._store, number, wanted, self._settings.allowed, why))

    def delete(self, number: int, reason: str) -> Answer:
        return webhook_document(webhooks.delete_webhook(self._store, number, self._because(reason)))

    def rotate(self, number: int, overlap_hours: float, reason: str) -> Answer:
        overlap = parse(RotateDocument, {"overlap_hours": overlap_hours}).overlap
        after, secret = webhooks.rotate_secret(self._store, number, overlap, self._seal(), self._because(reason))
        return {**webhook_document(after), "secret": secret}

    def test(self, number: int, reason: str) -> Answer:
        return delivery_document(webhooks.send_test(self._store, number, self._because(reason)))

    def deliveries(self, number: int, state: str | None, before: int | None, limit: int) -> Page:
        page = webhooks.list_deliveries(self._store, number, State(state) if state else None, before, limit)
        return Page([delivery_document(each) for each in page.items], page.next)

    def redeliver(self, number: int, delivery: int, reason: str) -> Answer:
        return delivery_document(webhooks.redeliver(self._store, number, delivery, self._because(reason)))

    def _seal(self) -> Seal:
        return Seal(find_secret_key(self._settings))


class RemoteWebhooks:
    """At a server. `ask` speaks to its management API."""

    def __init__(self, ask: Callable[..., Answer]) -> None:
        self._ask = ask

    def list(self) -> list[Answer]:
        return list(self._ask("GET", "/webhooks")["items"])

    def create(self, document: Mapping[str, Any], reason: str) -> Answer:
        return self._ask("POST", f"/webhooks?{_why(reason)}", document)

    def switch(self, number: int, reason: str, *, enabled: bool) -> Answer:
        document = _switched(self._ask("GET", f"/webhooks/{number}"), enabled=enabled)
        return self._ask("PUT", f"/webhooks/{number}?{_why(reason)}", document)

    def delete(self, number: int, reason: str) -> Answer:
        return self._ask("DELETE", f"/webhooks/{number}?{_why(reason)}")

    def rotate(self, number: int, overlap_hours: float, reason: str) -> Answer:
        return self._ask("POST", f"/webhooks/{number}/rotate?{_why(reason)}", {"overlap_hours": overlap_hours})

    def test(self, number: int, reason: str) -> Answer:
        return self._ask("POST", f"/webhooks/{number}/test?{_why(reason)}")

    def deliveries(self, number: int, state: str | None, before: int | None, limit: int) -> Page:
        query = (
            {"limit": str(limit)} | ({"state": state} if state else {}) | ({"before": str(before)} if before else {})
        )
        page = self._ask("GET", f"/webhooks/{number}/deliveries?{urlencode(query)}")
        return Page(page["items"], page["next"])

    def redeliver(self, number: int, delivery: int, reason: str) -> Answer:
        return self._ask("POST", f"/webhooks/{number}/deliveries/{delivery}/redeliver?{_why(reason)}")


def _switched(before: Mapping[str, Any], *, enabled: bool) -> dict[str, Any]:
    return {**{name: before[name] for name in WRITTEN}, "enabled": enabled}


def _why(reason: str) -> str:
    return urlencode({"reason": reason})
