import base64
import hashlib
import re

import pytest

from tests.builders import a_flag_document


@pytest.fixture(autouse=True)
def _flag(api) -> None:
    assert api("POST", "", a_flag_document(description="<b>Bridge</b>")).status_code == 201


def test_each_criterion_has_an_outcome_and_a_sentence(api):
    answer = api("GET", "/dspex-bridge/criteria").json

    assert answer["outcome"] == "not_enough_data"
    assert [each["name"] for each in answer["criteria"]] == [
        *("errors", "latency", "breakers", "affinity", "stable", "tests"),
    ]
    assert all(point["sentence"] for each in answer["criteria"] for point in each["points"])


def test_the_report_as_a_document_has_all_that_somebody_signs(api):
    api("POST", "/dspex-bridge/evidence", {"commit": "4f2a91c", "result": "failed"})

    report = api("GET", "/dspex-bridge/report").json

    assert report["outcome"] == "fail"
    assert report["migration"]["baseline"] == "python_pool_v2"
    assert len(report["checklists"]["after"]["items"]) == 5
    assert report["tests"][0]["commit"] == "4f2a91c"


def test_the_report_as_a_file_needs_nothing_from_elsewhere_and_allows_its_own_style_alone(api):
    answer = api("GET", "/dspex-bridge/report?format=html")

    assert answer.mimetype == "text/html"
    policy = answer.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "<script" not in answer.text
    assert not re.search(r'(src|href)="(?!https?://ci)', answer.text)
    assert "&lt;b&gt;Bridge&lt;/b&gt;" in answer.text


def test_other_pages_keep_the_strict_policy(api):
    assert "style-src 'self'" in api("GET", "/dspex-bridge").headers["Content-Security-Policy"]


@pytest.mark.parametrize("query", ["format=pdf", "fromat=html"])
def test_a_report_in_another_form_is_refused(api, query):
    assert api("GET", f"/dspex-bridge/report?{query}").status_code == 422


def test_finishing_waits_for_the_criteria_where_the_checklist_asks_for_it(api):
    stages = {"stages": [{"percent": 98, "bake_seconds": 60}]}
    api("PUT", "/dspex-bridge/plan", stages, version=1)
    shown = api("GET", "/dspex-bridge/checklists/before").json
    assert shown["criteria_required"] is False
    asked = api("PUT", "/dspex-bridge/checklists/before", {**shown, "criteria_required": True}, version=0)
    assert asked.json["criteria_required"] is True
    assert api("GET", "/dspex-bridge/criteria").json["required"] is True
    api("POST", "/dspex-bridge/rollout/start", {"reason": "go"})

    refused = api("POST", "/dspex-bridge/rollout/finish", {"reason": "done"})
    assert refused.status_code == 409
    assert (
        "6 of 6 success criteria have not passed: No increase in error rate (not enough data" in refused.json["detail"]
    )
    silent = api("POST", "/dspex-bridge/rollout/finish", {"despite_criteria": True})
    assert silent.status_code == 422
    assert [each["field"] for each in silent.json["errors"]] == ["reason"]

    done = api("POST", "/dspex-bridge/rollout/finish", {"despite_criteria": True, "reason": "the pool is sold"})
    assert done.json["rollout"]["state"] == "finished"
