import hashlib
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.watching import ledger_document, parse_ledger
from controlplane.domain.ledger import Ledger, noted
from tests.builders import a_bucket, an_arm

ARMS = st.builds(an_arm, st.integers(0, 500), st.integers(0, 20), milliseconds=st.floats(0.1, 9000))
BUCKETS = st.lists(st.builds(a_bucket, ARMS, ARMS, share=st.sampled_from([1000, 10_000])), min_size=1, max_size=6)


def written(buckets):
    ledger = Ledger()
    for number, bucket in enumerate(buckets):
        ledger = noted(ledger, replace(bucket, start=10 * number))
    return ledger


@given(BUCKETS)
def test_a_ledger_sums_up_each_share_and_survives_being_stored(buckets):
    ledger = written(buckets)

    assert parse_ledger(ledger_document(ledger)) == ledger
    assert (ledger.first, ledger.last, ledger.buckets) == (0, 10 * (len(buckets) - 1), len(buckets))
    keys = sum(each.candidate_keys for each in ledger.strata.values())
    assert keys == sum(stratum.candidate.keys for bucket in buckets for stratum in bucket.strata)


@given(BUCKETS, st.sampled_from(["calls", "bad", "keys", "bad_keys", "cancelled"]))
def test_any_count_that_differs_gives_another_digest(buckets, name):
    changed = replace(buckets[0].candidate, keys=501, calls=501)
    other = replace(changed, **{name: getattr(changed, name) + 1})
    first, second = (replace(buckets[0], candidate=arm) for arm in (changed, other))

    assert written([first, *buckets[1:]]).digest != written([second, *buckets[1:]]).digest


@given(BUCKETS)
def test_what_is_only_shown_leaves_the_digest_alone(buckets):
    shown = replace(buckets[0], candidate=replace(buckets[0].candidate, retries=7, fallbacks=3, errors={"timeout": 1}))

    assert written([shown, *buckets[1:]]).digest == written(buckets).digest


@given(BUCKETS)
def test_a_digest_is_that_of_json_which_anybody_can_write(buckets):
    digest, full = "", [replace(each, probes=an_arm(5, 2), metrics=an_arm(7, 1, retries=3)) for each in buckets]
    for number, bucket in enumerate(full):
        strata = [[each.share, as_list(each.baseline), as_list(each.candidate)] for each in bucket.strata]
        told = [10 * number, strata, as_list(bucket.baseline), as_list(bucket.candidate), [5, 2]]
        written_down = json.dumps([*told, as_list(bucket.metrics)], separators=(",", ":"))
        digest = hashlib.sha256(f"{digest}{written_down}".encode()).hexdigest()

    assert written(full).digest == digest


def as_list(arm):
    if not arm.calls and not arm.keys:
        return []
    histograms = [sorted(each.items()) for each in (arm.latency, arm.key_latency, arm.rise_from, arm.rise_to)]
    return [arm.calls, arm.bad, arm.cancelled, arm.keys, arm.bad_keys, *histograms]


def test_an_empty_histogram_entry_is_none():
    arm = an_arm(100)
    padded = replace(arm, latency={**arm.latency, 99: 0})

    assert written([a_bucket(padded)]).digest == written([a_bucket(arm)]).digest
