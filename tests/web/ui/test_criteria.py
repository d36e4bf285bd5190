import pytest

from tests.web.ui.visitor import FLAG, visible

pytestmark = pytest.mark.usefixtures("flag")


def test_the_page_shows_six_criteria_with_their_outcomes(viewer):
    page = viewer.text(f"{FLAG}/criteria")

    for title in ("No increase in error rate", "No degradation of p99 latency", "30 days stable"):
        assert title in page
    assert "Not enough data" in page
    assert "no test result is attached" in page


def test_the_report_opens_as_a_file_of_its_own(viewer):
    answer = viewer.get(f"{FLAG}/report")

    assert answer.status_code == 200
    assert "Report of a migration" in visible(answer)
    assert "/static/" not in answer.text


def test_the_page_of_the_flag_leads_to_both(viewer):
    assert f'href="{FLAG}/criteria"' in viewer.get(FLAG).text
    assert f'href="{FLAG}/checklist"' in viewer.get(FLAG).text
