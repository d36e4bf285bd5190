import json

from throwbar import outbox as outbox_module
from throwbar.outbox import Outbox
from throwbar.report import CELLS_PER_REPORT, Sender

SENDER = Sender("i", "shop", "s1", 1)


def test_the_first_report_stays_the_same_until_it_is_acknowledged():
    outbox = Outbox()
    outbox.put(SENDER, 1.0, [{"n": 1}])
    first = outbox.first

    outbox.put(SENDER, 2.0, [{"n": 2}])

    assert outbox.first is first
    outbox.acknowledged()
    assert outbox.first.sequence == 2


def test_many_cells_are_spread_over_reports():
    outbox = Outbox()

    outbox.put(SENDER, 1.0, [{"n": number} for number in range(CELLS_PER_REPORT + 1)])

    assert len(outbox) == 2


def test_the_oldest_report_is_dropped_when_the_box_is_full_and_the_next_one_tells(monkeypatch):
    monkeypatch.setattr(outbox_module, "REPORTS", 2)
    outbox = Outbox()

    for number in range(4):
        outbox.put(SENDER, 1.0, [{"n": number}])

    assert (len(outbox), outbox.first.sequence, outbox.dropped_ever) == (2, 3, 2)
    outbox.acknowledged()
    assert json.loads(outbox.first.body)["dropped"] == {"reports": 1, "queued_cells": 1}


def test_the_box_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(outbox_module, "BYTES", 3_000)
    outbox = Outbox()

    for _ in range(10):
        outbox.put(SENDER, 1.0, [{"n": "x" * 1_000}])

    assert len(outbox) == 2


def test_what_was_lost_before_is_told_once():
    outbox = Outbox()
    outbox.count_dropped("calls", 7)
    outbox.count_dropped("sdk_errors", 0)

    outbox.put(SENDER, 1.0, [])
    outbox.put(SENDER, 1.0, [])

    assert json.loads(outbox.first.body)["dropped"] == {"calls": 7}
    outbox.acknowledged()
    assert "dropped" not in json.loads(outbox.first.body)
