import pytest

from tests.builders import a_flag_document

LIST = "/dspex-bridge/checklists/before"
RUN = {"commit": "4f2a91c", "result": "passed", "suite": "unit", "link": "https://ci.example.org/7"}


@pytest.fixture(autouse=True)
def _flag(api) -> None:
    assert api("POST", "", a_flag_document()).status_code == 201


def test_a_list_is_read_and_an_item_ticked_off_under_its_own_version(api):
    first = api("GET", LIST)
    assert (first.json["version"], first.headers["ETag"]) == (0, '"0"')

    answer = api("PUT", f"{LIST}/items/usage", {"done": True, "evidence": "see the wiki"}, version=0)

    assert answer.status_code == 200
    assert answer.json["version"] == 1
    assert answer.json["items"][0] | {"done_at": None} == {
        "id": "usage",
        "title": "Audit how the baseline is used today",
        "required": True,
        "owner": "",
        "evidence": "see the wiki",
        "done": True,
        "done_by": "terraform",
        "done_at": None,
    }
    assert api("PUT", f"{LIST}/items/usage", {"done": False}, version=0).status_code == 412
    assert api("PUT", f"{LIST}/items/usage", {"done": False}).status_code == 428


def test_an_answer_may_be_sent_back_and_says_what_it_said(api):
    shown = api("GET", LIST).json

    answer = api("PUT", LIST, {**shown, "required": True}, version=0)

    assert answer.json["items"] == shown["items"]
    assert len(answer.json["open"]) == 5


def test_a_start_is_refused_with_one_sentence_that_names_what_is_open(api):
    shown = api("GET", LIST).json
    api("PUT", LIST, {"required": True, "items": shown["items"][:1]}, version=0)

    answer = api("POST", "/dspex-bridge/rollout/start", {"reason": "go"})

    assert answer.status_code == 409
    assert answer.json["detail"] == (
        "cannot start 'dspex-bridge': its checklist asks for: Audit how the baseline is used today"
    )
    assert api("GET", "/dspex-bridge").json["rollout"]["blocked_by"] == ["Audit how the baseline is used today"]


def test_a_pipeline_attaches_a_run_and_it_is_listed(api):
    answer = api("POST", "/dspex-bridge/evidence", RUN)

    assert answer.status_code == 201
    (kept,) = api("GET", "/dspex-bridge/attachments").json["items"]
    assert kept == answer.json
    assert {name: kept[name] for name in RUN} == RUN


@pytest.mark.parametrize(
    ("change", "field"),
    [({"commit": ""}, "commit"), ({"result": "green"}, "result"), ({"link": "javascript:alert(1)"}, "link")],
)
def test_a_run_that_names_no_commit_no_result_or_no_page_is_refused(api, state, change, field):
    before = state()

    answer = api("POST", "/dspex-bridge/evidence", {**RUN, **change})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert state() == before


def test_an_item_that_is_not_there_cannot_be_removed(api):
    assert api("DELETE", f"{LIST}/items/none", version=0).status_code == 404
    assert api("DELETE", f"{LIST}/items/usage", version=0).json["version"] == 1
