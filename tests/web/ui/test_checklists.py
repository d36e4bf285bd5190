import pytest

from tests.web.ui.visitor import FLAG, visible

PAGE = f"{FLAG}/checklist"
pytestmark = pytest.mark.usefixtures("flag")


def test_the_page_shows_both_lists_and_how_results_are_attached(viewer):
    page = viewer.text(PAGE)

    assert "Document all custom error handling" in page
    assert "Simplify the router: call the candidate directly" in page
    assert "throwbar checklist attach dspex-bridge" in page
    assert "Change or tick off" not in page


def test_an_operator_ticks_off_adds_and_removes(operator):
    fields = {"expected": "0", "title": "Audit usage", "owner": "ann", "evidence": "https://wiki.example.org"}
    page = operator.done(f"{PAGE}/before/items/usage", done="on", required="on", **fields)
    assert "1 of 5 done" in page
    assert "operator@example.org" in page
    assert 'href="https://wiki.example.org"' in operator.get(PAGE).text

    page = operator.done(f"{PAGE}/before/items", expected="1", title="Tell the customers")
    assert "Tell the customers" in page
    page = operator.done(f"{PAGE}/before/items/tell-the-customers-1/remove", expected="2")
    assert "Tell the customers" not in page


def test_what_a_rollout_waits_for_is_said_on_the_page(operator):
    page = operator.done(f"{PAGE}/require", expected="0", items="on", tests="on")

    assert "A rollout neither starts nor advances before this is done" in page
    assert "Existing tests pass (no result is attached)" in page


def test_a_form_that_is_out_of_date_changes_nothing_and_says_so(operator):
    operator.done(f"{PAGE}/require", expected="0", items="on")

    answer = operator.post(f"{PAGE}/before/items/usage", expected="0", title="Mine")

    assert answer.status_code == 412
    assert "somebody changed this list in the meantime" in visible(answer)


def test_an_item_without_a_title_is_refused_on_the_page(operator):
    answer = operator.post(f"{PAGE}/before/items", expected="0", title=" ")

    assert answer.status_code == 422
    assert "say what has to be looked at" in visible(answer)


def test_evidence_that_is_no_address_never_becomes_a_link(operator):
    operator.done(f"{PAGE}/before/items/usage", expected="0", title="A", evidence="javascript:alert(1)")

    assert 'href="javascript' not in operator.get(PAGE).text
