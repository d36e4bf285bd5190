"""The demo's second service, a process of its own: a helpdesk whose calls are moved by five flags beside the bridge's.

It is written as any service would be: THROWBAR_URL, THROWBAR_TOKEN and THROWBAR_SERVICE say where the control plane is.
"""

import argparse
import os
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import throwbar
from throwbar.migration import Migration
from throwbar.operation import Operation
from web.cli.demo import tickets
from web.cli.demo.classifier import read_corpus

SEARCH, INVOICES, FINGERPRINTS = "ticket-search", "invoice-totals", "attachment-fingerprints"
REPLIES, ROUTING = "reply-templates", "ticket-routing"
CUSTOMERS = 400
EMPTY = 0.004  # of all tickets

Chore = Callable[[str, str], object]  # a session and a ticket's text, to whatever comes of it


def chores(client: throwbar.Client) -> list[Chore]:
    """What the helpdesk does with a ticket, each routed by the SDK with the customer as its key."""
    corpus = read_corpus()
    texts = [example.text for example in corpus]
    scan, index = tickets.Scan(texts), tickets.InvertedIndex(texts)
    search = client.migration(SEARCH)
    query = _routed(search, "query", scan.query, index.query)
    suggest = _routed(search, "suggest", scan.suggest, index.suggest)
    total = _routed(client.migration(INVOICES), "total", tickets.total_in_floats, tickets.total_in_decimals)
    mark = _routed(
        client.migration(FINGERPRINTS), "fingerprint", tickets.fingerprint_by_sha1, tickets.fingerprint_by_blake2
    )
    render = _routed(client.migration(REPLIES), "render", tickets.reply_by_template, tickets.reply_by_format)
    topic = _routed(client.migration(ROUTING), "topic", tickets.topic_by_keywords, tickets.topic_by_classifier(corpus))
    return [
        lambda key, text: query(text, key=key),
        lambda key, text: suggest(text, key=key),
        lambda key, text: total(_lines(text), key=key),
        lambda key, text: mark(text, key=key),
        lambda key, text: render(key, text[:20], key=key),
        lambda key, text: topic(text, key=key),
    ]


def _routed(migration: Migration, name: str, baseline: Callable[..., Any], candidate: Callable[..., Any]) -> Operation:
    operation = migration.operation(name, kind=throwbar.READ)
    operation.baseline(baseline)
    operation.candidate(candidate)
    return operation


def _lines(text: str) -> list[tickets.Line]:
    """An invoice for as many things as the ticket has words; the same ticket costs the same."""
    dice = random.Random(text)  # noqa: S311 - prices are no secret
    return [
        tickets.Line(f"{dice.randint(1, 40)}.{dice.randint(0, 99):02}", dice.randint(1, 3), dice.choice([0, 0, 0, 5]))
        for _ in text.split()[:6]
    ]


def work(todo: list[Chore], rate: float, ended: threading.Event) -> None:
    """Tickets come in, `rate` a second, until the event is set."""
    dice = random.Random()  # noqa: S311 - who writes what is no secret
    texts = [example.text for example in read_corpus()]
    while not ended.wait(dice.expovariate(rate)):
        text = "" if dice.random() < EMPTY else dice.choice(texts)
        with suppress(tickets.EmptyTicket):
            dice.choice(todo)(f"customer-{dice.randrange(CUSTOMERS):03}", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=30.0, help="tickets a second")
    parser.add_argument("--poll", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--report", type=float, default=5.0, metavar="SECONDS")
    options = parser.parse_args()
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), name="leash", daemon=True).start()
    with throwbar.Client(poll_interval=options.poll, report_interval=options.report) as client:
        work(chores(client), options.rate, ended)


def _wait_for_the_end(ended: threading.Event) -> None:
    """The end of stdin: whoever holds the other end of the pipe is gone, however it went."""
    while os.read(0, 1):
        pass
    ended.set()


if __name__ == "__main__":
    main()
