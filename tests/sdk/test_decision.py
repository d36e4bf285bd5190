import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import CONTRACT, a_flag, a_share
from throwbar.decision import BUCKETS, Reason, bucket, decide, hash_of, threshold
from throwbar.plan import FlagPlan

VECTORS = json.loads((CONTRACT / "bucketing.json").read_text())["vectors"]
KEYS = [f"session-{number}" for number in range(10_000)]


def a_plan(operation: str = "read", overrides: dict[str, str] | None = None, **changes):
    return FlagPlan("orders", a_flag(**changes), overrides or {}).plan(operation)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['flag_key']}/{vector['key']}"[:40])
def test_hash_and_variant_agree_with_the_published_vectors(vector):
    total = sum(weight for _, weight in vector["weights"])

    hashed = hash_of(vector["flag_key"], vector["key"])
    position = hashed * total >> 32

    assert hashed == vector["hash"]
    for variant, weight in vector["weights"]:
        if position < weight:
            assert variant == vector["variant"]
            break
        position -= weight


@given(st.text(), st.text())
def test_a_bucket_is_always_in_range_and_always_the_same(flag, key):
    assert 0 <= bucket(flag, key) < BUCKETS
    assert bucket(flag, key) == bucket(flag, key)


@given(st.text(max_size=70_000 // 1000).map(lambda text: text * 1000))
def test_a_long_key_has_a_bucket_too(key):
    assert 0 <= bucket("orders", key) < BUCKETS


@given(st.integers(0, BUCKETS), st.integers(0, 2**32 - 1))
def test_comparing_the_hash_says_the_same_as_comparing_the_bucket(share, hashed):
    assert (hashed < threshold(share)) == ((hashed * BUCKETS) >> 32 < share)


@given(st.integers(0, BUCKETS), st.integers(-2, 2))
def test_comparing_the_hash_is_exact_at_the_edge(share, offset):
    hashed = min(max(threshold(share) + offset, 0), 2**32 - 1)

    assert (hashed < threshold(share)) == ((hashed * BUCKETS) >> 32 < share)


@given(st.lists(st.integers(0, BUCKETS), min_size=2, max_size=6).map(sorted), st.text(min_size=1))
def test_a_key_that_is_on_the_candidate_stays_there_while_the_share_grows(shares, key):
    sides = [decide(a_plan(operations=a_share(share)), key).candidate for share in shares]

    assert all(later or not earlier for earlier, later in pairwise(sides))


@given(st.integers(0, BUCKETS), st.integers(0, BUCKETS), st.text())
def test_operations_of_one_flag_share_one_cohort(one, other, key):
    operations = {"read": {"share": one}, "write": {"share": other}}

    read = decide(a_plan("read", operations=operations), key).candidate
    write = decide(a_plan("write", operations=operations), key).candidate

    assert read == write or (read if one > other else write)


def test_no_session_of_ten_thousand_sees_both_backends_at_constant_settings():
    flag = FlagPlan("orders", a_flag(operations={"read": {"share": 10_000}, "write": {"share": 10_000}}), {})

    seen = {
        key: {decide(flag.plan(name), key).candidate for name in ("read", "write") for _ in range(3)} for key in KEYS
    }

    assert all(len(sides) == 1 for sides in seen.values())
    assert 900 < sum(True in sides for sides in seen.values()) < 1_100


@given(st.text(min_size=1), st.text())
def test_an_operation_that_is_not_listed_never_reaches_the_candidate(operation, key):
    choice = decide(a_plan(f"not-{operation}", operations=a_share(BUCKETS)), key)

    assert not choice.candidate
    assert choice.reason is Reason.OPERATION_NOT_LISTED


@given(st.integers(1, BUCKETS - 1), st.text(max_size=300))
def test_a_decision_by_share_agrees_with_the_bucket_of_the_key(share, key):
    assert decide(a_plan(operations=a_share(share)), key).candidate == (bucket("orders", key) < share)


EVERYONE = [{"attribute": "key", "operator": "not_in", "values": ["nobody"], "serve": "candidate"}]
ROLLED_BACK_READ = a_share(BUCKETS, rolled_back=True)


@pytest.mark.parametrize(
    ("changes", "override", "candidate", "reason", "assigned_by"),
    [
        ({"enabled": False, "operations": a_share(BUCKETS)}, None, False, "disabled", "disabled"),
        ({"enabled": False, "rules": EVERYONE}, "candidate", False, "disabled", "disabled"),
        ({"rolled_back": True, "rules": EVERYONE}, "candidate", False, "rolled_back", "disabled"),
        ({"operations": ROLLED_BACK_READ, "rules": EVERYONE}, "candidate", False, "rolled_back", "disabled"),
        ({"enabled": False}, "baseline", False, "override", "override"),
        ({"operations": a_share(BUCKETS)}, "baseline", False, "override", "override"),
        ({"operations": a_share(0)}, "candidate", True, "override", "override"),
        ({"operations": {}}, "candidate", True, "override", "override"),
        ({"operations": {}, "rules": EVERYONE}, None, False, "operation_not_listed", "default"),
        ({"operations": a_share(0), "rules": EVERYONE}, None, True, "rule", "rule"),
        ({"operations": a_share(0)}, None, False, "share", "share"),
        ({"operations": a_share(BUCKETS)}, None, True, "share", "share"),
    ],
)
def test_the_order_of_a_decision(changes, override, candidate, reason, assigned_by):
    overrides = {"orders": override} if override else {}

    choice = decide(a_plan(overrides=overrides, **changes), "key")

    assert (choice.candidate, choice.reason, choice.assigned_by) == (candidate, reason, assigned_by)


@pytest.mark.parametrize(
    ("share", "candidate", "reason"), [(0, False, "share"), (50_000, False, "no_key"), (BUCKETS, True, "share")]
)
def test_without_a_key_only_the_limits_decide(share, candidate, reason):
    choice = decide(a_plan(operations=a_share(share)), None)

    assert (choice.candidate, choice.reason) == (candidate, reason)


def test_the_first_matching_rule_decides():
    rules = [
        {"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "baseline"},
        {"attribute": "tenant", "operator": "starts_with", "values": ["ac"], "serve": "candidate"},
    ]
    plan = a_plan(rules=rules, operations=a_share(0))

    assert not decide(plan, "k", {"tenant": "acme"}).candidate
    assert decide(plan, "k", {"tenant": "acorn"}).candidate
    assert decide(plan, "k", {"tenant": "bolt"}).reason is Reason.SHARE


@pytest.mark.parametrize(
    ("operator", "values", "attribute", "matches"),
    [
        ("in", ["7"], 7, True),
        ("in", ["8"], 7, False),
        ("not_in", ["8"], 7, True),
        ("not_in", ["7"], 7, False),
        ("not_in", ["7"], None, False),
        ("starts_with", ["x", "ab"], "abc", True),
        ("starts_with", ["bc"], "abc", False),
        ("ends_with", ["x", "bc"], "abc", True),
        ("ends_with", ["ab"], "abc", False),
        ("contains", ["x", "b"], "abc", True),
        ("contains", ["x"], "abc", False),
    ],
)
def test_rule_operators(operator, values, attribute, matches):
    rule = {"attribute": "a", "operator": operator, "values": values, "serve": "candidate"}

    choice = decide(a_plan(rules=[rule], operations=a_share(0)), "k", {"a": attribute})

    assert choice.candidate is matches


def test_from_a_rule_of_a_newer_server_on_everyone_is_kept_on_the_baseline():
    rules = [{"attribute": "a", "operator": "matches_regex", "values": ["."], "serve": "candidate"}, *EVERYONE]

    choice = decide(a_plan(rules=rules, operations=a_share(BUCKETS)), "k")

    assert (choice.candidate, choice.reason) == (False, Reason.RULE)


def test_a_narrow_override_beats_a_wide_one():
    overrides = {"orders": "candidate", "orders/read": "baseline"}

    assert not decide(a_plan("read", overrides), "k").candidate
    assert decide(a_plan("write", overrides), "k").candidate
