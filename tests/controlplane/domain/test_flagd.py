"""What is published of a migration? The shape; what it comes to is asked in test_evaluator."""

import json
from dataclasses import replace

import pytest

from controlplane.domain.bucketing import bucket
from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.flagd import flagd_flag
from controlplane.domain.rollout import Rollout, State
from controlplane.domain.share import FULL
from tests.builders import NOW

ECHO = Operation(5_000)
FLAG = Flag("orders", "pool", "snakepit", enabled=True, operations={"echo": ECHO})
NAMED = {"var": ["operation", "echo"]}  # the only one of the flag, so a caller need not name it
ACME = Rule("tenant", Operator.IN, ("acme",), Side.CANDIDATE)


def targeting_of(**changes):
    return flagd_flag(replace(FLAG, **changes)).get("targeting")


def test_a_share_is_published_in_the_short_form_with_the_candidate_first():
    assert targeting_of() == {
        "if": [{"in": [NAMED, ["echo"]]}, {"fractional": [["snakepit", 5_000], ["pool", 95_000]]}]
    }


@pytest.mark.parametrize(
    ("changes", "metadata"),
    [
        ({"enabled": False}, {"kind": "migration", "reason": "disabled"}),
        ({"rolled_back": True}, {"kind": "migration", "reason": "rolled_back"}),
        ({"operations": {"echo": replace(ECHO, rolled_back=True)}}, {"kind": "migration"}),
        ({"operations": {"echo": Operation(0)}}, {"kind": "migration"}),
        ({"operations": {}}, {"kind": "migration"}),
        ({"archived_at": NOW, "rollout": Rollout(State.ABORTED)}, {"kind": "migration", "archived": True}),
    ],
)
def test_what_sends_every_call_to_the_baseline_is_enabled_and_says_so_without_targeting(changes, metadata):
    assert flagd_flag(replace(FLAG, rules=() if "operations" in changes else (ACME,), **changes)) == {
        "state": "ENABLED",
        "variants": {"pool": "pool", "snakepit": "snakepit"},
        "defaultVariant": "pool",
        "metadata": metadata,
    }


def test_an_archived_flag_has_its_final_side_and_no_rules():
    over = {"archived_at": NOW, "rollout": Rollout(State.FINISHED), "rules": (ACME,)}

    assert targeting_of(**over, operations={"echo": Operation(FULL), "read": Operation(0)}) == {
        "if": [{"in": [{"var": "operation"}, ["echo"]]}, "snakepit"]
    }


def test_operations_of_one_share_are_drawn_together():
    operations = {"a": Operation(5_000), "b": Operation(FULL), "c": Operation(5_000), "d": Operation(0)}

    assert targeting_of(operations=operations) == {
        "if": [
            {"in": [{"var": "operation"}, ["a", "c"]]},
            {"fractional": [["snakepit", 5_000], ["pool", 95_000]]},
            {"in": [{"var": "operation"}, ["b"]]},
            "snakepit",
        ]
    }


def test_rules_come_before_the_share_and_count_for_listed_operations_only():
    assert targeting_of(rules=(ACME,)) == {
        "if": [
            {"in": [NAMED, ["echo"]]},
            {
                "if": [
                    {"and": [{"!==": [{"var": "tenant"}, None]}, {"in": [{"cat": [{"var": "tenant"}]}, ["acme"]]}]},
                    "snakepit",
                    {"fractional": [["snakepit", 5_000], ["pool", 95_000]]},
                ]
            },
        ]
    }


def test_an_empty_key_that_the_share_draws_is_named_because_flagd_draws_none():
    drawn = bucket("orders", "")

    assert "===" not in json.dumps(targeting_of(operations={"echo": Operation(drawn)}))
    assert targeting_of(operations={"echo": Operation(drawn + 1)})["if"][1]["if"][:2] == [
        {"===": [{"var": "targetingKey"}, ""]},
        "snakepit",
    ]


def test_nothing_that_services_need_not_know_is_published():
    told = json.dumps(flagd_flag(replace(FLAG, description="secret", owner="ann", version=7)))

    assert "secret" not in told
    assert "ann" not in told
