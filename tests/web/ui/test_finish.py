import pytest

from tests.web.ui.visitor import FLAG

pytestmark = pytest.mark.usefixtures("flag")


def test_the_finish_line_says_what_is_missing_and_what_is_left_to_do(viewer):
    page = viewer.text(f"{FLAG}/finish-line")

    assert "The migration is not over" in page
    assert "No running process has told that it registers" in page
    assert "Simplify the router: call the candidate directly" in page


def test_the_list_of_stale_flags_says_when_there_is_none(viewer):
    assert "No flag of this environment looks forgotten." in viewer.text("/environments/production/stale")
