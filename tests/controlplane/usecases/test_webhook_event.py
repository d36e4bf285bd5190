"""Is an event what docs/webhooks.md and the golden file say, and can it be verified as the page tells receivers to?"""

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.domain.signature import as_secret, headers_of
from controlplane.usecases import flags, history, rollouts
from controlplane.usecases.delivering import event_body, event_document
from controlplane.usecases.history import Filter
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "contract" / "webhook_event.json"
PAGE = (ROOT / "docs" / "webhooks.md").read_text()
EVENT = "evt_8f14e45fceea167a_4"
SECRET = as_secret(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def entry(store):
    """A rollback in the environment `production`, the fourth thing that ever happened there."""
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    rollouts.start(store, HERE, a_cause(NOW + timedelta(hours=1)))
    rollouts.roll_back(store, HERE, a_cause(NOW + timedelta(hours=2), reason="the new pool leaks connections"))
    return history.list_entries(store, "production", Filter(flag="dspex-bridge"), 1).items[0]


def test_an_event_is_the_golden_file(entry) -> None:
    assert event_document("production", EVENT, entry) == json.loads(GOLDEN.read_text())


def test_the_bytes_are_the_same_each_time_and_on_both_databases(entry) -> None:
    body = event_body("production", EVENT, entry)

    assert json.loads(body) == json.loads(GOLDEN.read_text())
    assert hashlib.sha256(body).hexdigest() == hashlib.sha256(event_body("production", EVENT, entry)).hexdigest()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_the_golden_file() -> None:
    assert json.loads(blocks("json")[0]) == json.loads(GOLDEN.read_text())


def test_the_headers_of_the_page_are_those_of_its_event(entry) -> None:
    (block,) = (each for each in blocks("") if each.startswith("webhook-id"))
    told = dict(line.split(": ", 1) for line in block.splitlines())

    assert SECRET in PAGE
    assert told == headers_of([SECRET], EVENT, int(entry.at.timestamp()), event_body("production", EVENT, entry))


def test_the_program_of_the_page_believes_what_is_signed_and_nothing_else() -> None:
    (program,) = blocks("python")
    room: dict = {}
    exec(program, room)
    body, now = GOLDEN.read_bytes(), int(NOW.timestamp())
    headers = headers_of([as_secret(b"another one of thirty-two bytes.."), SECRET], EVENT, now, body)

    assert room["verified"](SECRET, headers, body, now) == json.loads(body)
    for wrong in (
        (SECRET, headers, body + b" ", now),
        (SECRET, {**headers, "webhook-id": "evt_1"}, body, now),
        (as_secret(b"a third one of thirty-two bytes..."), headers, body, now),
        (SECRET, headers, body, now + 301),
    ):
        with pytest.raises(ValueError, match="webhook"):
            room["verified"](*wrong)
