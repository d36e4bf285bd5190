"""Does the server decide as the services do? Held against the SDK's own evaluator, over flags of every shape."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.decision import Reason, decide
from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.share import FULL
from controlplane.domain.snapshot import Clockwork, compile_snapshot
from tests.builders import NOW
from tests.strategies import TEXTS, flags
from throwbar.decision import decide as sdk_decides
from throwbar.plan import FlagPlan

VECTORS = json.loads((Path(__file__).parents[2] / "contract" / "bucketing.json").read_text())["vectors"]
ATTRIBUTES = st.dictionaries(TEXTS, TEXTS | st.booleans() | st.integers(), max_size=3)
BRIDGE = Flag("bridge", "pool", "snakepit", enabled=True, operations={"echo": Operation(share=5_000)})


@given(flags(), st.data())
def test_every_service_and_the_server_answer_alike(flag: Flag, data: st.DataObject) -> None:
    named = list(flag.operations)
    operation = data.draw(st.sampled_from([*named, "unheard of"]))
    flag = replace(
        flag,
        rolled_back=data.draw(st.booleans()),
        archived_at=data.draw(st.sampled_from([None, None, None, NOW])),
        operations={
            name: replace(each, rolled_back=data.draw(st.booleans())) for name, each in flag.operations.items()
        },
    )
    key, attributes = data.draw(st.none() | TEXTS), data.draw(ATTRIBUTES)
    attributes |= {rule.attribute: rule.values[0] for rule in flag.rules if data.draw(st.booleans())}
    route = compile_snapshot("production", "s", 1, [flag], Clockwork())["flags"][flag.key]

    theirs = sdk_decides(FlagPlan(flag.key, route, {}).plan(operation), key, attributes)
    ours = decide(flag, operation, key, attributes)

    assert (ours.side.value, ours.reason.value) == (theirs.side, theirs.reason.value)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['flag_key']}/{each['key']}"[:40])
def test_the_published_hashes_decide_on_which_side_of_a_share_a_key_stands(vector) -> None:
    drawn = (vector["hash"] * FULL) >> 32
    flag = replace(BRIDGE, key=vector["flag_key"])

    def side(share: int) -> Side:
        return decide(replace(flag, operations={"echo": Operation(share=share)}), "echo", vector["key"], {}).side

    assert side(drawn) is Side.BASELINE
    assert side(drawn + 1) is Side.CANDIDATE


def test_the_sentence_names_the_rule_that_matched() -> None:
    rules = (
        Rule("tenant", Operator.IN, ("zoo",), Side.BASELINE),
        Rule("tenant", Operator.STARTS_WITH, ("ac", "be"), Side.CANDIDATE),
    )

    found = decide(replace(BRIDGE, rules=rules), "echo", None, {"tenant": "acme"})

    assert (found.rule, found.side) == (2, Side.CANDIDATE)
    assert found.sentence == "Rule 2 matches: tenant is acme, and the rule says tenant starts with ac, be."


def test_a_retired_flag_is_not_known_to_anybody() -> None:
    found = decide(replace(BRIDGE, archived_at=NOW, retired_at=NOW), "echo", "k", {})

    assert (found.side, found.reason) == (Side.BASELINE, Reason.FLAG_MISSING)
