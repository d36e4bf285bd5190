"""The audit page: found by words and days, taken away as a file, one entry at an address of its own."""

import csv
import io
import json
from datetime import timedelta

import pytest

from controlplane.documents.tabular import AUDIT_COLUMNS
from controlplane.usecases import flags, history
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries
from tests.builders import NOW, a_cause
from tests.web.ui.visitor import visible

AUDIT = "/environments/production/audit"
BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture
def told(store, flag) -> None:
    flags.set_operation(store, BRIDGE, "echo", {"percent": 5}, a_cause(reason="First CUSTOMERS, 100 %"))
    flags.patch_flag(store, BRIDGE, {"owner": "Team Zürich"}, a_cause(NOW + timedelta(days=3), reason="=1+1"))


@pytest.mark.usefixtures("told")
def test_entries_are_found_by_words_of_a_reason_and_of_a_change(viewer) -> None:
    by_reason = viewer.text(f"{AUDIT}?text=first+customers")
    by_change = viewer.text(f"{AUDIT}?text=Zürich")

    assert "set a percent" in by_reason
    assert "Team Zürich" not in by_reason
    assert "Team Zürich" in by_change
    assert "No entries" in viewer.text(f"{AUDIT}?text=100%25x")  # a percent sign is a letter like any other


@pytest.mark.usefixtures("told")
def test_entries_are_found_by_day_the_last_one_included(viewer) -> None:
    assert "edited the flag" in viewer.text(f"{AUDIT}?since=2026-01-08&until=2026-01-08")
    assert "edited the flag dspex-bridge" not in viewer.text(f"{AUDIT}?until=2026-01-07")
    assert "is no date like" in viewer.text(f"{AUDIT}?since=yesterday")
    assert viewer.get(f"{AUDIT}/export?since=yesterday").status_code == 422


@pytest.mark.usefixtures("told")
def test_what_is_found_is_taken_away_as_a_table_or_as_json(viewer) -> None:
    table = viewer.get(f"{AUDIT}/export?format=csv&flag=dspex-bridge")
    document = viewer.get(f"{AUDIT}/export?format=json&text=customers")
    rows = list(csv.DictReader(io.StringIO(table.text)))

    assert table.headers["Content-Disposition"] == 'attachment; filename="audit-production.csv"'
    assert [each["action"] for each in rows] == ["flag:update", "share:set", "flag:create"]
    assert rows[0]["reason"] == "'=1+1"
    assert [each["reason"] for each in document.json["items"]] == ["First CUSTOMERS, 100 %"]


@pytest.mark.usefixtures("told")
def test_an_entry_has_an_address_and_shows_every_field_and_its_place_in_the_chain(store, viewer) -> None:
    first = list_entries(store, "production", Filter(action="flag:create")).items[0]
    page = viewer.get(f"{AUDIT}/{first.id}")

    assert first.hash in page.text
    assert "python_pool_v2" in visible(page)
    assert f'id="fields-{first.id}"' not in page.text
    assert f'{AUDIT}/{first.id}"' in viewer.get(AUDIT).text
    assert viewer.get(f"{AUDIT}/{10**30}").status_code == 404


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_is_sent_page_by_page_and_is_whole_while_entries_are_added(monkeypatch, store, viewer, form) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    known = [each.id for each in list_entries(store, "production", Filter()).items]

    answer = viewer.client.get(f"{AUDIT}/export?format={form}", buffered=False)
    parts = iter(answer.response)
    begun = [next(parts).decode(), next(parts).decode()]
    flags.disable_flag(store, Place("production", "dspex-bridge"), a_cause())
    text = "".join([*begun, *(part.decode() for part in parts)])

    told = csv.DictReader(io.StringIO(text)) if form == "csv" else json.loads(text)["items"]
    assert [int(each["id"]) for each in told] == known
    assert "Content-Length" not in answer.headers
    assert len(list_entries(store, "production", Filter()).items) == len(known) + 1


def test_an_export_of_nothing_is_a_document_all_the_same(viewer) -> None:
    assert viewer.get(f"{AUDIT}/export?format=json&text=nowhere").json == {"items": []}
    assert viewer.get(f"{AUDIT}/export?format=csv&text=nowhere").text.splitlines() == [",".join(AUDIT_COLUMNS)]
