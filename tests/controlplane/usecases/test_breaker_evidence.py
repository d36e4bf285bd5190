from datetime import timedelta

import pytest

from controlplane.domain.evidence import Pair, Wealth, comparison_factors, staked
from controlplane.domain.rollout import State, Step
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.evidence import Asked, evidence_series
from controlplane.usecases.health import flag_health
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
BASELINE = {"side": "baseline", "backend": "python_pool_v2"}
SEALED = NOW + timedelta(seconds=31)  # the bucket that begins NOW has just been sealed


@pytest.fixture(autouse=True)
def started(store):
    operations = {"echo": {"percent": 0}}
    document = a_flag_document(operations=operations, plan=a_plan_document(10), guardrails={"max_error_rate": 0.05})
    flags.create_flag(store, "production", document, a_cause())
    return rollouts.start(store, HERE, a_cause())


def report(store, instance, *cells):
    placed = [{"attempt": 1, "share": 10_000, **each} for each in cells]
    record_reports(store, [a_report(*(a_cell(**each) for each in placed), instance=instance)], NOW)


def an_outage(*, rejected: int):
    """What a process reports whose breaker opened after five calls of two keys; later ones never got through."""
    failed = {"connection": 5, **({"breaker": rejected} if rejected else {})}
    keys = {"keys": 2 + rejected, "bad_keys": 2 + rejected}
    answered = {"latency": {"10": 5}, "key_latency": {"10": 2}, "key_rise": {"from": {}, "to": {"10": 2}}}
    cells = [{"calls": 5 + rejected, "errors": failed, **keys, **answered}, {**BASELINE, "calls": 450}]
    return [*cells, {**BASELINE, "calls": rejected, "assigned_by": "breaker"}] if rejected else cells


def steps(store, lease):
    return [step for _, _, step in tick(store, lambda: SEALED, Clockwork(), lease).steps]


def test_an_outage_rolls_back_in_one_bucket_though_breakers_opened_after_five_calls(store, lease):
    report(store, "i-1", *an_outage(rejected=45))

    assert steps(store, lease) == [Step.ROLL_BACK]
    assert flags.get_flag(store, HERE).rollout.state is State.ROLLED_BACK


def test_what_a_breaker_let_through_alone_would_not_have_been_enough(store, lease):
    report(store, "i-1", *an_outage(rejected=0))

    assert steps(store, lease) == []


def test_what_the_baseline_answered_in_the_breakers_place_is_no_part_of_the_comparison(store, lease):
    report(store, "i-1", *an_outage(rejected=45))
    steps(store, lease)

    with store.reading() as uow:
        seen = uow.watches.get(1, "dspex-bridge").evidence["echo"]
    assert (seen.candidate_keys, seen.candidate_bad_keys, seen.baseline_keys) == (47, 47, 450)


def an_incident(*, probes_failed):
    """Both backends time out; breakers opened, and let some probes through."""
    turned_away, *_ = an_outage(rejected=45)
    timed_out = {**turned_away, "errors": {"timeout": 5, "breaker": 45}}
    baseline = {**BASELINE, "calls": 450, "errors": {"timeout": 30}}
    return [timed_out, baseline, {"calls": 5, "errors": {"timeout": probes_failed}, "assigned_by": "probe"}]


@pytest.mark.parametrize(("probes_failed", "counted"), [(0, 2), (5, 47)])
def test_beside_a_baseline_that_times_out_as_well_only_probes_can_tell_for_those_who_were_turned_away(
    store, lease, probes_failed, counted
):
    report(store, "i-1", *an_incident(probes_failed=probes_failed))
    steps(store, lease)

    with store.reading() as uow:
        watch = uow.watches.get(1, "dspex-bridge")
    ledger, seen = watch.ledgers["echo"].strata[10_000], watch.evidence["echo"]
    assert (ledger.candidate_keys, ledger.candidate_bad_keys) == (47, 47)
    assert seen.refusals.doubted(NOW.timestamp()) is (counted == 2)
    pair = Pair(counted, 450, counted, 30)
    factors = comparison_factors([pair], ratio=1.1, margin=0.0005)
    assert seen.errors.log_evidence == pytest.approx(staked(Wealth(), factors).log_evidence)
    again = evidence_series(store, HERE, SEALED, Clockwork(), Asked())
    assert again["series"]["operations"]["echo"]["errors"][-1] == pytest.approx(seen.errors.log_evidence)
    assert [each["same"] for each in again["decisions"]] == [True] * (counted > 2)


def test_shadow_calls_that_fail_roll_nothing_back_and_are_shown(store, lease):
    report(
        store,
        "i-1",
        {"calls": 50},
        {**BASELINE, "calls": 450, "shadow": {"pairs": 400, "failed": 400}},
        {"calls": 400, "errors": {"connection": 400}, "assigned_by": "shadow"},
    )

    assert steps(store, lease) == []
    with store.reading() as uow:
        watch = uow.watches.get(1, "dspex-bridge")
    assert watch.evidence["echo"].candidate_bad_keys == 0
    assert all(finding.verdict != "unhealthy" for finding in watch.findings)
    (limit,) = [finding for finding in watch.findings if finding.guardrail == "max_error_rate"]
    assert limit.numbers["value"] == 0
    health = flag_health(store, HERE, SEALED, Clockwork())["operations"]["echo"]
    assert sum(health["series"]["candidate"]["calls"]) == 50
    assert health["routing"]["shadow"]["failed"] == 400
    assert health["routing"]["shadow"]["calls"] == 400


def test_shadow_calls_alone_are_silence(store, lease):
    report(store, "i-1", {"calls": 400, "assigned_by": "shadow"})
    steps(store, lease)

    with store.reading() as uow:
        assert uow.watches.get(1, "dspex-bridge").evidence["echo"].newest is None
