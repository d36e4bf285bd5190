"""The page that tries other guardrails on what was measured."""

import re
from datetime import timedelta

import pytest

from controlplane.usecases import flags, rollouts
from controlplane.usecases.leading import lead
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE, Life
from tests.web.ui.visitor import FLAG, visible

PAGE = f"{FLAG}/backtest"
RUN = f"{PAGE}?run=1&compare=on&alpha=0.01&min_samples=100"


@pytest.fixture
def life(store, clock):
    """Healthy for 40 seconds, failing for 30, rolled back."""
    flags.create_flag(store, "production", a_flag_document(guardrails={"min_samples": 100}), a_cause())
    rollouts.start(store, HERE, a_cause())
    lease = lead(store, "test", NOW, timedelta(days=3650))
    assert lease
    lived = Life(store, lease)
    lived.live(4)
    lived.live(3, errors={"timeout": 20})
    clock.go_on(lived.at - NOW)
    return lived


def test_the_form_begins_with_the_guardrails_of_the_flag(life, viewer) -> None:
    page = viewer.get(PAGE).text

    assert re.search(r'id="min_samples"[^>]*value="100"', page)
    assert 'name="compare" checked' in page
    assert "Would" not in page
    assert PAGE in viewer.get(FLAG).text


def test_what_a_policy_would_have_done_is_a_table_and_a_picture(life, viewer, state) -> None:
    before = state()

    answer = viewer.get(RUN)
    told = visible(answer)
    (points,) = re.findall(r'<polyline points="([^"]*)"', answer.text)
    ((_, marked),) = re.findall(r'class="mark (roll_back)" x1="([^"]*)%"', answer.text)

    assert answer.status_code == 200
    assert "Would have rolled back at 09:0" in told
    assert "Would have rolled back 1 in " in told
    assert "snakepit failed for" in told
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert heights[0] == 120 > heights[-1]  # from nothing to more than the limit
    assert float(marked) == 100
    assert state() == before


def test_a_policy_that_only_reports_rolls_nothing_back(life, viewer) -> None:
    told = viewer.text(f"{RUN}&on_breach=report")

    assert "Would not have rolled back" in told
    assert "Would have reported a rollback" in told


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("&max_error_rate=200", "must be above 0 % and below 100 %"),
        ("&error_rate_ratio=often", "Error rate ratio"),
        ("&since=2027-01-01T00:00", "Since leaves nothing of attempt 1: pick an earlier start"),
        ("&since=yesterday", "Since"),
        ("&since=%00", "must be an instant like"),
        ("&attempt=7", "There is no attempt 7 of 'dspex-bridge': it has had 1."),
        ("&attempt=one", "Attempt"),
    ],
)
def test_what_cannot_be_tried_is_said_beside_its_field(life, viewer, query, sentence) -> None:
    answer = viewer.get(RUN + query)

    assert answer.status_code == 422
    assert sentence in visible(answer)


def test_where_nothing_is_kept_the_page_says_so(life, store, viewer) -> None:
    with store.writing() as uow:
        for name in ("echo", "simple_predict"):
            uow.buckets.take(1, "dspex-bridge", name, 0, 2**40)
        uow.commit()

    assert "No telemetry of attempt 1 is kept between" in viewer.text(RUN)


def test_a_flag_that_was_never_exposed_has_nothing_to_try_on(flag, viewer) -> None:
    assert "it has not had any yet" in visible(viewer.get(RUN))
