"""A service with OpenTelemetry's own SDK and exporter, and no SDK of ours: its calls are seen, and its failures act."""

from contextlib import contextmanager

import pytest
from freezegun import freeze_time
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from tests.builders import a_flag_document, a_moved_feature_document
from tests.stories.world import BUCKET, PATIENCE, SEAL, a_world

HEALTH = "/flags/dspex-bridge/health"


@pytest.fixture
def world(migrated_url):
    with freeze_time("2026-01-05 09:00:00", real_asyncio=True) as clock, a_world(migrated_url, clock) as living:
        yield living


@pytest.fixture
def settings(world, monkeypatch):
    """As docs/recipes.md says, but for a machine that may be slow."""
    beginning = "OTEL_EXPORTER_OTLP_METRICS"
    monkeypatch.setenv(f"{beginning}_ENDPOINT", f"http://127.0.0.1:{world.port}/v1/metrics")
    monkeypatch.setenv(f"{beginning}_HEADERS", f"authorization=Bearer%20{world.sdk}")
    monkeypatch.setenv(f"{beginning}_TEMPORALITY_PREFERENCE", "delta")
    monkeypatch.setenv(f"{beginning}_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram")
    monkeypatch.setenv(f"{beginning}_TIMEOUT", f"{PATIENCE:g}")
    return monkeypatch.setenv


@contextmanager
def a_service():
    """What it measures is exported when the story says so."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=float("inf"))
    provider = MeterProvider([reader], Resource.create({"service.name": "billing", "service.instance.id": "pod-1"}))
    try:
        yield provider
    finally:
        provider.shutdown()


def measured(duration, *, failing):
    """Ten seconds of calls to both backends."""
    for backend, calls in (("python_pool_v2", 300), ("snakepit", 100)):
        attributes = {
            "feature_flag.key": "dspex-bridge",
            "feature_flag.result.variant": backend,
            "throwbar.operation": "echo",
        }
        for number in range(calls):
            failed = {"error.type": "timeout"} if failing and backend == "snakepit" and number % 2 else {}
            duration.record(0.020, attributes | failed)


def live(world, provider, duration, buckets, *, failing=False):
    for _ in range(buckets):
        measured(duration, failing=failing)
        world.pass_by(BUCKET)
        assert provider.force_flush(PATIENCE * 1000)
        world.tick()


def test_its_calls_are_seen_and_a_limit_takes_its_candidate_back(world, settings):
    settings("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip")
    document = a_flag_document(
        operations={"echo": {"percent": 0}}, guardrails={"max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}}
    )
    assert world.api("POST", "/flags", document)[0] == 201
    assert world.api("POST", "/flags/dspex-bridge/rollout/start", {"reason": "a story"})[0] == 200
    with a_service() as provider:
        duration = provider.get_meter("billing").create_histogram("throwbar.call.duration", unit="s")
        live(world, provider, duration, 6)

        health = world.api("GET", HEALTH)[1]
        assert health["verdict"] == "inconclusive"  # calls are no keys: too few of them to advance on
        found = {each["guardrail"]: each for each in health["operations"]["echo"]["findings"]}
        assert found["max_error_rate"]["verdict"] == "healthy"
        assert 20 <= found["max_latency_p99"]["value"] <= 20 * 1.0905**2
        assert "errors_vs_baseline" not in found

        live(world, provider, duration, 8, failing=True)

    assert world.flag()["rollout"]["state"] == "rolled_back"


def test_a_feature_whom_targeting_hands_out_is_guarded_by_its_limits(world, settings):
    targeting = {"if": [{"==": [{"var": "tier"}, "pro"]}, "on", None]}
    document = a_moved_feature_document(
        key="dspex-bridge",
        operations={"default": {"percent": 10}},
        targeting=targeting,
        guardrails={"max_error_rate": 0.05},
        plan=None,
    )
    assert world.api("POST", "/flags", document)[0] == 201
    with a_service() as provider:
        calls = provider.get_meter("billing").create_counter("throwbar.calls")
        for _ in range(8):
            for variant, failed in (("off", {}), ("on", {"error.type": "timeout"})):
                calls.add(100, {"feature_flag.key": "dspex-bridge", "feature_flag.result.variant": variant, **failed})
            world.pass_by(BUCKET)
            assert provider.force_flush(PATIENCE * 1000)
            world.tick()

    assert world.flag()["rollout"]["rolled_back"]


def test_a_plain_counter_is_enough_where_nobody_measures_durations(world, settings):
    assert world.api("POST", "/flags", a_flag_document(operations={"echo": {"percent": 0}}))[0] == 201
    with a_service() as provider:
        calls = provider.get_meter("billing").create_counter("throwbar.calls", unit="{call}")
        calls.add(7, {"feature_flag.key": "dspex-bridge", "feature_flag.result.variant": "python_pool_v2"})
        world.pass_by(BUCKET)
        assert provider.force_flush(PATIENCE * 1000)
        world.pass_by(SEAL)
        world.tick()

    with world.store.reading() as uow:
        ((place, arm),) = uow.buckets.between(1, "dspex-bridge", 0, 2**40)
    assert (place.operation, arm.calls, arm.bad, arm.latency) == ("echo", 7, 0, {})
