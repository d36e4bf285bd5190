"""What does a request of OTLP/HTTP say of calls? Protobuf or JSON in, points out, and a sentence for what is refused.

Two metrics are ours, told apart by name: `throwbar.call.duration`, an exponential histogram, and `throwbar.calls`, a
counter of calls whose durations nobody measured. Others are passed over: an exporter sends all that a process measures.
Source: opentelemetry.io/docs/specs/otlp/#otlphttp-request and opentelemetry-proto's metrics.proto.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK,
    ExponentialHistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
)

from controlplane.domain.exponential import from_exponential
from controlplane.domain.histogram import Histogram
from controlplane.usecases.metering import Batch, Point, PointRefused
from web.edge.report import CATEGORIES

DURATION = "throwbar.call.duration"
CALLS = "throwbar.calls"
MOST_POINTS = 10_000
MOST_CALLS = 1_000_000_000  # of a point, as of a report's cell
UNITS_MS = {"s": 1000.0, "ms": 1.0}
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_LEVEL = re.compile(r"Failed to parse (\w+) field: ")
_NANOSECONDS = 1e9
_DELTA = "set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta"
_EXPONENTIAL = (
    "set OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=base2_exponential_bucket_histogram, or a view of it"
)


class MalformedRequest(Exception):
    """It is no export request at all."""


@dataclass(frozen=True, slots=True)
class Heard:
    """`refused` are sentences with the number of points they are about; `others` are metrics of other names."""

    batches: list[Batch]
    refused: Counter[str]
    others: int


def parse_request(body: bytes, *, is_json: bool) -> ExportMetricsServiceRequest:
    """Raises MalformedRequest."""
    request = ExportMetricsServiceRequest()
    if is_json and not body.lstrip().startswith(b"{"):
        raise MalformedRequest("the body is no ExportMetricsServiceRequest: it is no JSON object")
    try:
        if is_json:
            json_format.Parse(body, request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest(f"the body is no ExportMetricsServiceRequest: {_plain(str(error))}") from None
    return request


def _plain(complaint: str) -> str:
    """protobuf tells each level on the way down to a mistake in a sentence of its own."""
    way, mistake = ".".join(_LEVEL.findall(complaint)), _LEVEL.sub("", complaint).rstrip(".")
    return f"{mistake[:200]}, at {way[:200]}" if way else mistake[:200]


def hear(request: ExportMetricsServiceRequest) -> Heard:
    """Everything that is ours in it, by the process that told it."""
    heard = Heard([], Counter(), 0)
    others, left = 0, MOST_POINTS
    for resource in request.resource_metrics:
        points: list[Point] = []
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            if metric.name not in (DURATION, CALLS):
                others += 1
                continue
            for point in _points(metric, heard.refused):
                left -= 1
                if left < 0:
                    heard.refused[f"one request may have {MOST_POINTS} points: send fewer at once"] += 1
                elif point.calls:
                    points.append(point)
        if points:
            heard.batches.append(_batch(resource, points))
    return Heard(heard.batches, heard.refused, others)


def encode_answer(refused: int, message: str, *, is_json: bool) -> bytes:
    """An ExportMetricsServiceResponse; `message` without refused points is a warning."""
    answer = ExportMetricsServiceResponse()
    if refused or message:
        answer.partial_success.rejected_data_points = refused
        answer.partial_success.error_message = message
    return json_format.MessageToJson(answer, indent=None).encode() if is_json else answer.SerializeToString()


def _batch(resource: ResourceMetrics, points: list[Point]) -> Batch:
    process = resource.resource.SerializeToString(deterministic=True)
    digest = hashlib.sha256(process + msgspec.json.encode(points)).hexdigest()
    names = _attributes(resource.resource.attributes)
    service, instance = (_UNPRINTABLE.sub("?", names.get(name, "")) for name in ("service.name", "service.instance.id"))
    return Batch(service[:200], instance[:100], digest, points)


def _points(metric: Metric, refused: Counter[str]) -> Iterator[Point]:
    """Those that can be counted."""
    try:
        data = _data(metric)
    except PointRefused as error:
        kind = metric.WhichOneof("data")
        refused[f"{metric.name}: {error}"] += len(getattr(metric, kind).data_points) if kind else 1
        return
    for each in data:
        if each.flags & DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
            continue
        try:
            yield _point(each, metric.unit)
        except PointRefused as error:
            refused[f"{metric.name}: {error}"] += 1


def _data(metric: Metric) -> Iterable[ExponentialHistogramDataPoint | NumberDataPoint]:
    """Raises PointRefused for what cannot be counted whatever its points are."""
    kind = metric.WhichOneof("data")
    if metric.name == DURATION:
        if kind != "exponential_histogram":
            raise PointRefused(f"it is no exponential histogram: {_EXPONENTIAL}")
        if metric.unit not in UNITS_MS:
            raise PointRefused(f"its unit is '{metric.unit}', neither s nor ms")
        if metric.exponential_histogram.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA:
            raise PointRefused(f"its temporality is not delta: {_DELTA}")
        return metric.exponential_histogram.data_points
    if kind != "sum" or not metric.sum.is_monotonic:
        raise PointRefused("it is no counter, which is a monotonic sum")
    if metric.sum.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA:
        raise PointRefused(f"its temporality is not delta: {_DELTA}")
    return metric.sum.data_points


def _point(point: ExponentialHistogramDataPoint | NumberDataPoint, unit: str) -> Point:
    names = _attributes(point.attributes)
    error = names.get("error.type")
    calls, latency = (
        _measured(point, UNITS_MS[unit]) if isinstance(point, ExponentialHistogramDataPoint) else (_counted(point), {})
    )
    if calls > MOST_CALLS:
        raise PointRefused(f"it counts more than {MOST_CALLS} calls")
    end = point.time_unix_nano / _NANOSECONDS
    return Point(
        flag=_word(names, "feature_flag.key"),
        operation=_word(names, "throwbar.operation") if "throwbar.operation" in names else None,
        backend=_word(names, "feature_flag.result.variant"),
        error=None if error is None else error if error in CATEGORIES else "system",
        begin=(point.start_time_unix_nano or point.time_unix_nano) / _NANOSECONDS,
        end=end,
        calls=calls,
        latency=latency,
    )


def _measured(point: ExponentialHistogramDataPoint, unit_ms: float) -> tuple[int, Histogram]:
    if any(point.negative.bucket_counts):
        raise PointRefused("it has negative durations")
    if not -10 <= point.scale <= 20:
        raise PointRefused(f"its scale is {point.scale}, not within -10 and 20")
    counts, zero = point.positive.bucket_counts, point.zero_count
    if sum(counts) + zero != point.count:
        raise PointRefused("its count is not the sum of its buckets")
    return point.count, from_exponential(point.scale, point.positive.offset, counts, zero=zero, unit_ms=unit_ms)


def _counted(point: NumberDataPoint) -> int:
    value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
    if not 0 <= value <= MOST_CALLS or value != int(value):
        raise PointRefused(f"{value:g} is no number of calls up to {MOST_CALLS}")
    return int(value)


def _attributes(attributes: Iterable[Any]) -> Mapping[str, str]:
    """Those that are text."""
    return {each.key: each.value.string_value for each in attributes if each.value.HasField("string_value")}


def _word(names: Mapping[str, str], name: str) -> str:
    found = names.get(name, "")
    if not _WORD.fullmatch(found):
        raise PointRefused(f"the attribute {name} is missing, or no name of up to 100 printable characters")
    return found
