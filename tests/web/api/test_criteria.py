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
