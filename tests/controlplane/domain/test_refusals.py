"""Is a key that a breaker turned away held against the candidate only where breakers hardly open by chance?"""

import math
from dataclasses import replace

import pytest

from controlplane.documents.watching import evidence_document, parse_evidence
from controlplane.domain import stakes
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.refusals import LONGEST_OPEN, Calls, Refusals, with_calls, without_refused
from tests.builders import a_bucket, an_arm

COMPARE = Compare()
LIMITS = Guardrails(compare=COMPARE)


def baseline(calls=900, hard=0, soft=0):
    errors = {name: number for name, number in (("timeout", hard), ("application", soft)) if number}
    return an_arm(calls, hard + soft, errors=errors)


def turned_away(well, refused):
    """Some keys that did well, and some of which no call was let through, by an open breaker."""
    arm = an_arm(well)
    errors = {"breaker": refused}
    keys = well + refused
    return replace(arm, calls=keys, bad=refused, errors=errors, keys=keys, bad_keys=refused)


def after(*baselines, attempts=100, operations=1):
    found = Refusals()
    for number, arm in enumerate(baselines):
        found = with_calls(found, Calls(10 * number, arm, attempts), COMPARE, operations)
    return found


def seen(*buckets):
    found = Evidence()
    for number, (candidate, theirs) in enumerate(buckets):
        found = gather(found, a_bucket(candidate, theirs, start=10 * number), LIMITS)
    return found


@pytest.mark.parametrize("arm", [baseline(), baseline(hard=2), baseline(soft=9), baseline(soft=27)])
def test_beside_a_baseline_that_is_well_a_breaker_does_not_open_by_chance(arm):
    assert not after(*[arm] * 100).doubted(990)


@pytest.mark.parametrize("arm", [baseline(hard=270), baseline(soft=400), baseline(hard=90)])
def test_beside_one_that_fails_as_well_it_may(arm):
    found = after(arm)

    assert found.doubted(0)
    assert found.doubted(LONGEST_OPEN - 10)
    assert not found.doubted(LONGEST_OPEN)


def test_hard_failures_open_breakers_sooner_than_others():
    assert after(baseline(hard=27)).opened.expected > 100 * after(baseline(soft=27)).opened.expected


def test_what_is_to_be_expected_adds_up_until_it_exceeds_its_part_of_alpha():
    one = after(baseline(hard=18)).opened.expected
    often = int(stakes.BREAKERS * COMPARE.alpha / 2 / one)

    assert after(*[baseline(hard=18)] * (often // 2)).opened.until == 0
    assert after(*[baseline(hard=18)] * (2 * often)).opened.until > 0


def test_operations_share_that_part():
    arms = [baseline(hard=18)] * 10

    assert after(*arms).opened.until == 0
    assert after(*arms, operations=1000).opened.until > 0


def probed(bad, of=5):
    return an_arm(of, bad, errors={"connection": bad})


def test_a_breaker_that_probes_confirm_did_not_open_by_chance_unless_both_sides_fail():
    some, most = baseline(hard=50), baseline(hard=540)
    doubted = after(some)

    assert not with_calls(doubted, Calls(10, some, 100, probed(5)), COMPARE).doubted(10)
    assert with_calls(doubted, Calls(10, some, 100, probed(2)), COMPARE).doubted(10)
    assert with_calls(doubted, Calls(10, some, 100, probed(2, of=2)), COMPARE).doubted(10)
    assert with_calls(doubted, Calls(10, most, 100, probed(5)), COMPARE).doubted(10)


def test_until_other_probes_say_something_else():
    some = baseline(hard=50)
    confirmed = with_calls(after(some), Calls(10, some, 100, probed(5)), COMPARE)

    assert not with_calls(confirmed, Calls(20, some, 100), COMPARE).doubted(20)
    assert with_calls(confirmed, Calls(20, some, 100, probed(0)), COMPARE).doubted(20)


def test_one_failure_of_three_calls_is_no_rate():
    assert not after(baseline(3, hard=1), attempts=1).doubted(0)


def test_in_an_incident_of_both_sides_keys_that_were_turned_away_say_nothing():
    incident = an_arm(900, 540, errors={"timeout": 540})
    failing = replace(an_arm(40, 24, errors={"timeout": 24}), bad_keys=24)
    away = turned_away(0, 60)
    both = replace(
        failing, calls=100, bad=84, errors={"timeout": 24, "breaker": 60}, keys=100, bad_keys=84, retries=away.retries
    )

    assert seen((both, incident)).errors == seen((failing, incident)).errors


def test_where_the_baseline_is_well_they_count_as_failed():
    found = seen((turned_away(5, 45), an_arm(900, 2, errors={"application": 2})))

    assert found.errors.log_evidence > math.log(1000)


def test_what_never_reached_the_backend_is_taken_out_whole():
    left = without_refused(turned_away(5, 45))

    assert (left.calls, left.bad, left.errors, left.keys, left.bad_keys) == (5, 0, {}, 5, 0)
    assert without_refused(an_arm(5, 1)) == an_arm(5, 1)


def test_what_is_known_of_it_survives_being_stored():
    found = seen((an_arm(), an_arm(900, 300, errors={"timeout": 300})))

    assert found.refusals.opened.until == LONGEST_OPEN
    assert parse_evidence(evidence_document(found)).refusals == found.refusals
    assert parse_evidence({**evidence_document(found), "refusals": {}}).refusals == Refusals()
