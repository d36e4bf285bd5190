"""`throwbar webhook`: who is told what happens, and what became of it."""

from typing import Any

import click

from controlplane.domain.delivery import State
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option

_number = click.argument("number", type=click.IntRange(min=1), metavar="ID")


@click.group()
def webhook() -> None:
    """Endpoints that are told what happens, signed, until they have heard it."""


@webhook.command("list")
@on_the_plane
def list_webhooks(plane: Plane) -> Told:
    """Every webhook and how it fares; never its secret."""
    found = plane.webhooks.list()
    rows: list[tuple[object, ...]] = [("id", "name", "address", "actions", "flags and tags", "environments", "state")]
    rows += [(each["id"], each["name"], each["url"], *_chosen(each), _state(each)) for each in found]
    return Told(found, columns(rows, "There are no webhooks."))


@webhook.command()
@click.argument("name")
@click.argument("address", metavar="URL")
@click.option("--action", "actions", multiple=True, required=True, help="rollout:roll_back, rollout:*, or * for all.")
@click.option("--in", "environments", multiple=True, default=("*",), show_default=True, help="Environment, * for all.")
@click.option("--flag", "flags", multiple=True, help="Of this flag alone.")
@click.option("--tag", "tags", multiple=True, help="Of flags with this tag.")
@reason_option
@on_the_plane
def create(plane: Plane, address: str, reason: str, **document: Any) -> Told:  # noqa: ANN401 - the fields of the document
    """Tell URL what happens. Its secret is shown this once: `create on-call https://… --action 'rollout:*'`."""
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in document.items()}
    new = plane.webhooks.create({**given, "url": address}, reason)
    return Told(new, new["secret"])


@webhook.command()
@_number
@reason_option
@on_the_plane
def enable(plane: Plane, number: int, reason: str) -> Told:
    """Tell it again what happens, from now on."""
    after = plane.webhooks.switch(number, reason, enabled=True)
    return Told(after, f"{after['name']} is told what happens from now on.")


@webhook.command()
@_number
@reason_option
@on_the_plane
def disable(plane: Plane, number: int, reason: str) -> Told:
    """Tell it nothing; what is on its way is dropped."""
    after = plane.webhooks.switch(number, reason, enabled=False)
    return Told(after, f"{after['name']} is told nothing any more.")


@webhook.command()
@_number
@reason_option
@on_the_plane
def delete(plane: Plane, number: int, reason: str) -> Told:
    """Forget it with its log."""
    old = plane.webhooks.delete(number, reason)
    return Told(old, f"{old['name']} is deleted.")


@webhook.command()
@_number
@click.option("--overlap-hours", type=float, default=24, show_default=True, help="0 when the old one has leaked.")
@reason_option
@on_the_plane
def rotate(plane: Plane, number: int, overlap_hours: float, reason: str) -> Told:
    """Give it a new secret, shown this once. The old one signs beside it for a while."""
    after = plane.webhooks.rotate(number, overlap_hours, reason)
    return Told(after, after["secret"])


@webhook.command()
@_number
@reason_option
@on_the_plane
def test(plane: Plane, number: int, reason: str) -> Told:
    """Send it an event about this test. `deliveries` tells what came of it."""
    made = plane.webhooks.test(number, reason)
    return Told(made, f"delivery {made['id']} is on its way.")


@webhook.command()
@_number
@click.option("--state", type=click.Choice([each.value for each in State]))
@click.option("--before", type=click.IntRange(min=1), help="Older than this delivery.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@on_the_plane
def deliveries(plane: Plane, number: int, state: str | None, before: int | None, limit: int) -> Told:
    """What was sent to it, from the newest backwards."""
    page = plane.webhooks.deliveries(number, state, before, limit)
    rows: list[tuple[object, ...]] = [("id", "at", "action", "flag", "state", "attempts", "came of it", "next try")]
    rows += [_line(each) for each in page.items]
    text = columns(rows, "Nothing was sent to it.")
    more = f"\n… older ones with --before {page.next}" if page.next else ""
    return Told({"items": page.items, "next": page.next}, text + more)


@webhook.command()
@_number
@click.argument("delivery", type=click.IntRange(min=1))
@reason_option
@on_the_plane
def redeliver(plane: Plane, number: int, delivery: int, reason: str) -> Told:
    """Send DELIVERY once more, under the same webhook-id."""
    made = plane.webhooks.redeliver(number, delivery, reason)
    return Told(made, f"{made['event']} is on its way again, as delivery {made['id']}.")


def _chosen(told: Answer) -> tuple[str, str, str]:
    flags = ", ".join([*told["flags"], *(f"tag {each}" for each in told["tags"])])
    return ", ".join(told["actions"]), flags or "all", ", ".join(told["environments"])


def _state(told: Answer) -> str:
    if not told["enabled"]:
        return f"disabled: {told['disabled_because']}" if told["disabled_because"] else "disabled"
    return f"failing since {told['failing_since']}" if told["failing_since"] else "enabled"


def _line(told: Answer) -> tuple[object, ...]:
    came = told["error"] or (told["status"] and f"{told['status']} in {told['milliseconds']} ms") or "–"
    head = (told["id"], told["created_at"], told["action"], told["flag"], told["state"], told["attempts"])
    return (*head, came, told["next_at"])
