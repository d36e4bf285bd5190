"""What can be done with support tickets, in two ways each? The backends between which the demo's helpdesk migrates."""

import bisect
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from string import Template
from typing import Protocol

from web.cli.demo.classifier import Example, train, words

CENT = Decimal("0.01")
# The topic of whichever comes first; a ticket with none of these words is a question on how something is done.
KEYWORDS = {"refund": "billing", "invoice": "billing", "charged": "billing", "down": "outage", "thank": "praise"}


class EmptyTicket(ValueError):
    """There is nothing to work with: customers do send empty tickets."""


class Search(Protocol):
    """Both raise EmptyTicket."""

    def query(self, text: str) -> list[int]:
        """The numbers of the tickets that have all words of the text."""
        ...

    def suggest(self, text: str) -> list[str]:
        """The first words of the tickets' vocabulary that begin as the text does."""
        ...


class Scan:
    """Looks through every ticket, each time."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._tickets = [set(words(text)) for text in texts]

    def query(self, text: str) -> list[int]:
        wanted = _wanted(text)
        return [number for number, ticket in enumerate(self._tickets) if wanted <= ticket]

    def suggest(self, text: str) -> list[str]:
        begin = min(_wanted(text))[:3]
        return sorted({word for ticket in self._tickets for word in ticket if word.startswith(begin)})[:5]


class InvertedIndex:
    """Knows for each word where it is."""

    def __init__(self, texts: Sequence[str]) -> None:
        places: defaultdict[str, set[int]] = defaultdict(set)
        for number, text in enumerate(texts):
            for word in words(text):
                places[word].add(number)
        self._places = dict(places)
        self._vocabulary = sorted(places)

    def query(self, text: str) -> list[int]:
        return sorted(set.intersection(*(self._places.get(word, set()) for word in _wanted(text))))

    def suggest(self, text: str) -> list[str]:
        begin = min(_wanted(text))[:3]
        first = bisect.bisect_left(self._vocabulary, begin)
        return [word for word in self._vocabulary[first : first + 5] if word.startswith(begin)]


def _wanted(text: str) -> set[str]:
    found = set(words(text))
    if not found:
        raise EmptyTicket("the ticket is empty")
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice: a price like "19.99", how often, and percent off."""

    price: str
    count: int
    discount: int


def total_in_floats(lines: Iterable[Line]) -> str:
    """As it always was: halves of cents go wherever binary fractions take them."""
    return f"{sum(round(float(line.price) * line.count * (100 - line.discount) / 100, 2) for line in lines):.2f}"


def total_in_decimals(lines: Iterable[Line]) -> str:
    """As accountants do it: half a cent is a cent."""
    gross = (Decimal(line.price) * line.count * (100 - line.discount) / 100 for line in lines)
    return str(sum((each.quantize(CENT, ROUND_HALF_UP) for each in gross), Decimal(0)).quantize(CENT))


def fingerprint_by_sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def fingerprint_by_blake2(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def reply_by_template(name: str, topic: str) -> str:
    return Template("Dear $name, thank you for your ticket about $topic.").substitute(name=name, topic=topic)


def reply_by_format(name: str, topic: str) -> str:
    return f"Dear {name}, thank you for your ticket about {topic}."


def topic_by_keywords(text: str) -> str:
    """Raises EmptyTicket."""
    said = _wanted(text)
    return next((topic for word, topic in KEYWORDS.items() if word in said), "how-to")


def topic_by_classifier(examples: Iterable[Example]) -> Callable[[str], str]:
    """The function; it raises EmptyTicket."""
    model = train(examples)

    def topic(text: str) -> str:
        _wanted(text)
        return model.predict(text).label

    return topic
