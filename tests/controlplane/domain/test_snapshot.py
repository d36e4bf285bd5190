import json
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.rollout import Rollout, State
from controlplane.domain.routing import Breaker, BreakerMode, Mode, Retry, Switches
from controlplane.domain.share import FULL
from controlplane.domain.snapshot import Clockwork, compile_snapshot
from tests.builders import NOW

GOLDEN = Path(__file__).parents[2] / "contract" / "snapshot.json"
FLAG = Flag(
    key="dspex-bridge",
    baseline="python_pool_v2",
    candidate="snakepit",
    enabled=True,
    switches=Switches(retry=False),
    operations={
        "echo": Operation(0, rolled_back=True),
        "simple_predict": Operation(
            5000,
            Mode.SHADOW,
            breaker=Breaker(BreakerMode.FORCED_CLOSED, failure_rate=0.25, consecutive=8),
            retry=Retry(attempts=2),
        ),
    },
    rules=(Rule("tenant", Operator.IN, ("acme",), Side.CANDIDATE),),
    guardrails=Guardrails(),
    rollout=Rollout(attempt=2),
)


def compiled(*flags, clockwork=None):
    return compile_snapshot("production", "5f2c9a4be01d7736", 41, flags, clockwork or Clockwork())


def test_a_snapshot_is_the_published_one():
    assert json.loads(json.dumps(compiled(FLAG))) == json.loads(GOLDEN.read_text())


def test_an_archived_flag_answers_with_its_final_backends_as_published():
    over = Rollout(state=State.FINISHED, attempt=3)
    operations = {"echo": Operation(FULL, rolled_back=True), "simple_predict": Operation(FULL)}
    snapshot = compile_snapshot(
        *("production", "5f2c9a4be01d7736", 57),
        [replace(FLAG, archived_at=NOW, rollout=over, operations=operations)],
        Clockwork(),
    )

    assert json.loads(json.dumps(snapshot)) == json.loads(GOLDEN.with_name("snapshot_archived.json").read_text())


@pytest.mark.parametrize(
    ("changes", "share", "final"),
    [
        ({"rollout": Rollout(State.COMPLETED)}, 98_000, FULL),
        ({"rollout": Rollout(State.FINISHED)}, FULL, FULL),
        ({}, FULL, FULL),
        ({}, 60_000, 0),
        ({"rollout": Rollout(State.COMPLETED)}, 0, 0),
        ({"enabled": False}, FULL, 0),
        ({"rolled_back": True}, FULL, 0),
    ],
)
def test_the_candidate_is_final_only_where_a_migration_came_to_its_end(changes, share, final):
    flag = replace(FLAG, archived_at=NOW, operations={"echo": Operation(share)}, **changes)

    assert compiled(flag)["flags"]["dspex-bridge"]["operations"]["echo"]["share"] == final


def test_retired_flags_are_in_no_snapshot():
    assert compiled(replace(FLAG, archived_at=NOW, retired_at=NOW))["flags"] == {}


def test_a_snapshot_tells_services_nothing_they_need_not_know():
    route = compiled(replace(FLAG, description="secret", owner="ann"))["flags"]["dspex-bridge"]

    assert "secret" not in json.dumps(route)
    assert not {"plan", "guardrails", "owner", "description", "version"} & set(route)


def test_services_wait_for_half_the_seal_and_reports_have_the_other_half():
    assert compiled(clockwork=Clockwork(2, 5.0))["telemetry"] == {"bucket_seconds": 2, "outcome_deadline_seconds": 2.5}


def test_only_settings_that_were_written_travel():
    plain = compiled(replace(FLAG, switches=Switches(), operations={"echo": Operation(100)}))["flags"]["dspex-bridge"]

    assert "switches" not in plain
    assert plain["operations"]["echo"].keys() == {"share", "mode", "rolled_back", "latency_tolerance"}


@pytest.mark.parametrize(
    ("operation", "share"),
    [
        (Operation(0, Mode.SHADOW), 1_000),
        (Operation(0, Mode.AA, shadow_share=0), 0),
        (Operation(0, Mode.SHADOW, shadow_share=100_000), 100_000),
        (Operation(0, Mode.SINGLE, shadow_share=5_000), None),
        (Operation(0, Mode.DUAL_WRITE), None),
    ],
)
def test_a_mode_that_samples_says_how_many_keys(operation, share):
    route = compiled(replace(FLAG, operations={"echo": operation}))["flags"]["dspex-bridge"]

    assert route["operations"]["echo"].get("shadow_share") == share
