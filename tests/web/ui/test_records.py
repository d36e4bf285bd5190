"""What the scheduler decided on, on the flag's page and in the audit; and what it would have done."""

from datetime import timedelta

import pytest

from controlplane.usecases import flags, rollouts
from controlplane.usecases.leading import lead
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE, Life
from tests.web.ui.visitor import FLAG

AUDIT = "/environments/production/audit"


@pytest.fixture
def live(store, clock):
    """A rollout under some guardrails, healthy for 40 seconds and then failing for 30."""

    def lived(**guardrails) -> Life:
        document = a_flag_document(guardrails={"min_samples": 100, **guardrails})
        flags.create_flag(store, "production", document, a_cause())
        rollouts.start(store, HERE, a_cause())
        lease = lead(store, "test", NOW, timedelta(days=3650))
        assert lease
        life = Life(store, lease)
        life.live(4)
        life.live(3, errors={"timeout": 20})
        clock.go_on(life.at - NOW)
        return life

    return lived


@pytest.mark.parametrize("page", [FLAG, AUDIT])
def test_a_rollback_shows_what_it_was_decided_on(live, viewer, page):
    live()

    told = viewer.text(page)

    assert "What it was decided on" in told
    assert "errors_vs_baseline: E ≥ 1/α for the operation and for the flag" in told
    assert "limit 1 in 100" in told
    assert "errors ×1.1 + 0.05" in told
    assert "(0 of 2\u202f000 keys)" in told or "(0 of 2 000 keys)" in told
    assert "throwbar evidence dspex-bridge --at" in told


def test_a_rollback_that_was_only_reported_is_told_with_its_time_and_evidence(live, viewer):
    live(on_breach="report")

    told = viewer.text(FLAG)

    assert "Would have rolled back at 09:0" in told
    assert "(1 in " in told
    assert "These guardrails may only report." in told
    assert "would have rolled back dspex-bridge" in viewer.text(AUDIT)
    assert "Rolled back automatically" not in told


def test_the_rehearsal_of_an_attempt_that_is_over_is_history(live, store, viewer):
    life = live(on_breach="report")
    rollouts.abort(store, HERE, a_cause(life.at))
    rollouts.start(store, HERE, a_cause(life.at))

    assert "Would have rolled back" not in viewer.text(FLAG)


def test_a_change_by_a_person_has_no_record(flag, viewer):
    assert "What it was decided on" not in viewer.text(AUDIT)
