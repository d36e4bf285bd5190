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


def test_finishing_that_waits_for_them_is_said_and_done_despite_them_with_a_reason(operator, viewer):
    operator.done(f"{FLAG}/checklist/require", expected="0", criteria="on")
    operator.post(f"{FLAG}/rollout/start")
    while "at stage" in visible(refused := operator.post(f"{FLAG}/rollout/finish")):
        operator.post(f"{FLAG}/rollout/advance")
    assert refused.status_code == 409
    assert "6 of 6 success criteria have not passed" in visible(refused)

    assert "not finished before every criterion has passed" in viewer.text(f"{FLAG}/criteria")
    assert "Finish despite criteria" not in viewer.text(f"{FLAG}/criteria")
    assert 'name="despite_criteria"' in operator.get(f"{FLAG}/criteria").text
    assert operator.post(f"{FLAG}/rollout/finish", despite_criteria="on").status_code == 422
    page = operator.done(f"{FLAG}/rollout/finish", despite_criteria="on", reason="the pool is sold")
    assert "Finished: everything goes to the candidate." in page
