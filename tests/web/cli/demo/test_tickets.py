"""Do the helpdesk's backends do the same in two ways, and differ only where the demo says they do?"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.cli.demo import tickets
from web.cli.demo.classifier import Example, read_corpus

TEXTS = [example.text for example in read_corpus()]
SEARCHES = [tickets.Scan(TEXTS), tickets.InvertedIndex(TEXTS)]


@given(st.sampled_from(TEXTS), st.integers(1, 4))
def test_an_index_finds_what_a_scan_finds(text, number):
    wanted = " ".join(text.split()[:number])

    scanned, looked_up = (search.query(wanted) for search in SEARCHES)

    assert looked_up == scanned
    assert TEXTS.index(text) in scanned


@given(st.sampled_from(TEXTS))
def test_an_index_suggests_what_a_scan_suggests(text):
    scanned, looked_up = (search.suggest(text) for search in SEARCHES)

    assert looked_up == scanned
    assert scanned


@pytest.mark.parametrize("search", SEARCHES)
def test_an_empty_ticket_is_a_failure_on_both_sides(search):
    for ask in (search.query, search.suggest):
        with pytest.raises(tickets.EmptyTicket):
            ask(" ?! ")


def test_sums_in_floats_and_in_decimals_differ_now_and_then_and_by_cents_only():
    dice = random.Random(1)
    invoices = [
        [tickets.Line(f"{dice.randint(1, 40)}.{dice.randint(0, 99):02}", dice.randint(1, 3), 5) for _ in range(6)]
        for _ in range(500)
    ]

    pairs = [(tickets.total_in_floats(each), tickets.total_in_decimals(each)) for each in invoices]

    differing = [pair for pair in pairs if pair[0] != pair[1]]
    assert 0 < len(differing) < len(pairs) / 2
    assert max(abs(float(old) - float(new)) for old, new in differing) < 0.10


def test_half_a_cent_is_a_cent_in_decimals():
    assert tickets.total_in_decimals([tickets.Line("1.10", 1, 5)]) == "1.05"  # 1.045


def test_topics_are_found_by_keywords_or_by_what_was_learnt():
    by_classifier = tickets.topic_by_classifier([Example("billing", "refund"), Example("outage", "down")])

    assert tickets.topic_by_keywords("I want a refund") == by_classifier("a refund") == "billing"
    assert tickets.topic_by_keywords("how do I begin") == "how-to"


def test_replies_are_the_same_in_both_ways():
    assert tickets.reply_by_template("Ann", "an invoice") == tickets.reply_by_format("Ann", "an invoice")


def test_fingerprints_have_forty_digits_and_are_not_the_same():
    old, new = tickets.fingerprint_by_sha1("a file"), tickets.fingerprint_by_blake2("a file")

    assert len(old) == len(new) == 40
    assert old != new
