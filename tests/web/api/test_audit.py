"""The audit log over HTTP: filtered, in pages, as CSV, and proved."""

import csv
import io

import pytest

from tests.builders import a_flag_document

AUDIT = "/api/v1/environments/production/audit"


@pytest.fixture
def changed(api) -> None:
    api("POST", "", a_flag_document())
    api("POST", "/dspex-bridge/disable", {"reason": "=HYPERLINK(1)"})
    api("POST", "", a_flag_document(key="other"))


def test_entries_come_newest_first_and_in_pages(api, changed) -> None:
    everything = api("GET", AUDIT).json["items"]
    first = api("GET", f"{AUDIT}?limit=2").json
    rest = api("GET", f"{AUDIT}?limit=500&before={first['next']}").json

    assert [each["id"] for each in everything] == sorted((each["id"] for each in everything), reverse=True)
    assert first["items"] + rest["items"] == everything
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("flag=other", 1),
        ("action=flag:disable", 1),
        ("actor=terraform", 3),
        ("flag=dspex-bridge&action=flag:create", 1),
        ("since=2026-01-05T09:00:01Z", 0),
        ("until=2026-01-05T09:00:00Z", 0),
    ],
)
def test_entries_are_filtered(api, changed, query, number) -> None:
    assert len(api("GET", f"{AUDIT}?{query}").json["items"]) == number


def test_csv_cannot_be_made_to_calculate(api, changed) -> None:
    answer = api("GET", f"{AUDIT}?format=csv&action=flag:disable")
    (row,) = csv.DictReader(io.StringIO(answer.text))

    assert answer.mimetype == "text/csv"
    assert row["reason"] == "'=HYPERLINK(1)"
    assert row["actor"] == "token:terraform"


@pytest.mark.parametrize("query", ["limit=501", "format=xml", "flags=typo", "before=0", "before=9223372036854775808"])
def test_what_cannot_be_asked_is_refused_by_name(api, query) -> None:
    answer = api("GET", f"{AUDIT}?{query}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_the_chain_is_proved(api, changed) -> None:
    answer = api("GET", f"{AUDIT}/verify").json

    assert answer["broken"] is None
    assert answer["length"] == api("GET", AUDIT).json["items"][0]["id"]


def test_the_history_of_a_flag_that_never_was_is_not_found(api) -> None:
    assert api("GET", "/none/history").status_code == 404
