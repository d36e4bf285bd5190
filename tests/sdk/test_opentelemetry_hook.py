"""What arrives in OpenTelemetry, through its own exporters."""

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import throwbar
from throwbar.decision import Reason
from throwbar.hooks import Evaluation
from throwbar.opentelemetry_hook import OpenTelemetryHook
from throwbar.testing import ControlPlane, forced

REASONS_OF_THE_CONVENTIONS = {
    "cached", "default", "disabled", "error", "split", "stale", "static", "targeting_match", "unknown"
}  # fmt: skip


@pytest.fixture
def exported():
    return InMemoryLogRecordExporter()


@pytest.fixture
def hook(exported):
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exported))
    yield OpenTelemetryHook(logger=provider.get_logger("test"))
    provider.shutdown()


@pytest.fixture
def read(hook):
    plane = ControlPlane()
    plane.set("orders", baseline="old", candidate="new", read=100)
    with throwbar.Client("http://test", "t", transport=plane, backup_file=False, hooks=[hook]) as client:
        assert client.wait_ready(60)
        operation = client.migration("orders").operation("read", kind=throwbar.READ)
        operation.baseline(lambda: "old")
        operation.candidate(lambda: "new")
        yield operation


def events(exported):
    return [(log.log_record.event_name, dict(log.log_record.attributes)) for log in exported.get_finished_logs()]


def test_a_decision_is_an_evaluation_event_with_the_attributes_of_the_conventions(read, exported):
    read(key="s1")

    assert events(exported) == [
        (
            "feature_flag.evaluation",
            {
                "feature_flag.key": "orders",
                "feature_flag.result.variant": "new",
                "feature_flag.result.reason": "split",
                "feature_flag.provider.name": "throwbar",
                "feature_flag.version": "2",
                "throwbar.operation": "read",
                "throwbar.reason": "share",
            },
        )
    ]


def test_keys_leave_the_process_only_when_that_is_asked_for(exported, hook, read):
    hook._keys = True

    read(key="s1")

    assert events(exported)[0][1]["feature_flag.context.id"] == "s1"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_of_the_conventions(exported, hook, reason):
    hook.decided(throwbar.Decision("old", False, reason, 1, "orders", "read"), None)

    ((_, attributes),) = events(exported)
    assert attributes["feature_flag.result.reason"] in REASONS_OF_THE_CONVENTIONS
    assert ("error.type" in attributes) is (attributes["feature_flag.result.reason"] == "error")


def test_a_feature_is_an_evaluation_event_too(exported, hook):
    hook.evaluated(Evaluation("new-ui", "on", "TARGETING_MATCH", "production", "7"), "s1")

    assert events(exported) == [
        (
            "feature_flag.evaluation",
            {
                "feature_flag.key": "new-ui",
                "feature_flag.result.variant": "on",
                "feature_flag.result.reason": "targeting_match",
                "feature_flag.provider.name": "throwbar",
                "feature_flag.set.id": "production",
                "feature_flag.version": "7",
            },
        )
    ]


def test_an_evaluation_that_failed_says_why(exported, hook):
    hook._keys = True

    hook.evaluated(Evaluation("new-ui", None, "ERROR", "production", "7", "TYPE_MISMATCH", "it is a string"), "s1")

    ((_, attributes),) = events(exported)
    assert (attributes["error.type"], attributes["feature_flag.error.message"]) == ("type_mismatch", "it is a string")
    assert attributes["feature_flag.context.id"] == "s1"
    assert "feature_flag.result.variant" not in attributes


def test_a_fallback_and_a_breaker_are_events_of_their_own(read, exported):
    with forced(to="fallback"):
        read(key="s1")
    with forced(to="breaker_open"):
        read(key="s1")

    names = [name for name, _ in events(exported)]
    assert "throwbar.fallback" in names
    assert "throwbar.breaker_opened" in names
    fallback = dict(events(exported))["throwbar.fallback"]
    assert (fallback["throwbar.backend"], fallback["throwbar.error"]) == ("new", "connection")


def test_the_current_span_carries_the_outcome(read):
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    with provider.get_tracer("test").start_as_current_span("request"):
        read(key="s1")
    provider.shutdown()

    (span,) = spans.get_finished_spans()
    assert span.attributes["throwbar.orders.read.backend"] == "new"
    assert span.attributes["throwbar.orders.read.seconds"] >= 0
