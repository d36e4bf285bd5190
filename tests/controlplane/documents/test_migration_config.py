"""The configuration of a hand-made migration, and the flag that equals it."""

import tomllib

import pytest

from controlplane.documents.flag import parse_flag
from controlplane.documents.migration_config import Names, read_migration_config
from controlplane.domain.errors import InvalidInput
from controlplane.domain.guardrails import OnBreach

AS_THE_GUIDE_WRITES_IT = """
[dspex]
use_snakepit_backend = false
pool_size = 4

[dspex.migration]
snakepit_percentage = 0
snakepit_operations = ["echo", "simple_predict"]
rollback_on_error = true
error_rate_threshold = 0.05
latency_threshold_ms = 1000

[dspex.features]
basic_operations = true
session_affinity = true
circuit_breaker = true
advanced_retry = true
"""


def imported(**config):
    return parse_flag(read_migration_config(config, Names()).document)


def test_row_27_the_worked_example_becomes_the_equal_flag() -> None:
    found = read_migration_config(tomllib.loads(AS_THE_GUIDE_WRITES_IT), Names())
    flag = parse_flag(found.document)

    assert (flag.key, flag.baseline, flag.candidate, flag.enabled) == (
        "dspex-bridge",
        "python_pool_v2",
        "snakepit",
        False,
    )
    assert {name: each.share for name, each in flag.operations.items()} == {"echo": 0, "simple_predict": 0}
    assert flag.guardrails is not None
    assert flag.guardrails.max_error_rate == 0.05
    assert flag.guardrails.max_latency_ms == {"p99": 1000}
    assert flag.guardrails.on_breach is OnBreach.ROLLBACK
    assert (flag.switches.affinity, flag.switches.breaker, flag.switches.retry) == (True, True, True)
    assert found.ignored == ("dspex.pool_size",)


def test_the_place_of_a_key_does_not_matter() -> None:
    flat = {"use_snakepit_backend": True, "snakepit_operations": ["echo"], "snakepit_percentage": 5}
    nested = {"dspex": {"migration": flat}}

    assert imported(**flat) == imported(**nested)
    assert imported(**flat).operations["echo"].share == 5_000


def test_without_rollback_a_breach_holds() -> None:
    limits = imported(snakepit_rollback_on_error=False).guardrails

    assert limits is not None
    assert limits.on_breach is OnBreach.HOLD


def test_a_feature_that_is_off_is_switched_off() -> None:
    switches = imported(
        features={"session_affinity": False, "circuit_breaker": False, "advanced_retry": False}
    ).switches

    assert (switches.affinity, switches.breaker, switches.retry) == (False, False, False)
    assert (switches.fallback, switches.shadow) == (True, True)


def test_basic_operations_off_routes_nothing() -> None:
    assert imported(use_snakepit_backend=True).enabled
    assert not imported(use_snakepit_backend=True, features={"basic_operations": False}).enabled


def test_names_of_an_elixir_configuration_lose_their_colon() -> None:
    assert set(imported(snakepit_operations=[":echo"]).operations) == {"echo"}


@pytest.mark.parametrize(
    ("config", "field", "sentence"),
    [
        ({"snakepit_percentge": 1}, "snakepit_percentge", "is 'snakepit_percentage' meant?"),
        ({"snakepit_percentage": 101, "snakepit_operations": ["a"]}, "snakepit_percentage", "between 0 and 100"),
        ({"snakepit_percentage": True}, "snakepit_percentage", "must be a number"),
        ({"snakepit_percentage": 5}, "snakepit_percentage", "name the operations"),
        ({"latency_threshold_ms": float("nan")}, "latency_threshold_ms", "finite"),
        ({"latency_threshold_ms": 0}, "latency_threshold_ms", "above 0"),
        ({"error_rate_threshold": 5}, "error_rate_threshold", "0.05 means 5 %"),
        ({"snakepit_operations": "echo"}, "snakepit_operations", "a list of names"),
        ({"snakepit_operations": ["a b"]}, "snakepit_operations", "starts with a letter"),
        ({"migration": {"use_snakepit_backend": "yes"}}, "migration.use_snakepit_backend", "true or false"),
        ({"rollback_on_error": True, "dspex": {"rollback_on_error": True}}, "dspex.rollback_on_error", "says again"),
        ({"database": {"pool": 5}}, "file", "no key of a migration"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_file(config, field, sentence) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_migration_config(config, Names())

    assert refused.value.errors[0].field == field
    assert sentence in refused.value.errors[0].message
