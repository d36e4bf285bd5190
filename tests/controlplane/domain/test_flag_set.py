import json
from dataclasses import replace
from pathlib import Path

from controlplane.domain.flag import Flag, Operation
from controlplane.domain.flag_set import compile_flag_set
from tests.builders import NOW
from tests.controlplane.domain.test_snapshot import FLAG

GOLDEN = Path(__file__).parents[2] / "contract" / "flag_set.json"
SOUND = Flag("orders", "pool", "snakepit", enabled=True, operations={"echo": Operation(5_000)})


def compiled(*flags, judge=lambda key, flag: None):
    return compile_flag_set("production", "5f2c9a4be01d7736", 41, flags, judge)


def test_a_definition_is_the_published_one():
    assert json.loads(json.dumps(compiled(FLAG).document)) == json.loads(GOLDEN.read_text())


def test_a_malformed_flag_stays_out_and_takes_no_other_with_it():
    flags = [SOUND, replace(SOUND, key="broken")]

    flag_set = compiled(*flags, judge=lambda key, flag: "it is upside down" if key == "broken" else None)

    assert list(flag_set.document["flags"]) == ["orders"]
    assert flag_set.left_out == {"broken": "it is upside down"}


def test_retired_flags_are_in_no_definition():
    flag_set = compiled(replace(SOUND, archived_at=NOW, retired_at=NOW))

    assert flag_set.document["flags"] == {}
    assert flag_set.left_out == {}
