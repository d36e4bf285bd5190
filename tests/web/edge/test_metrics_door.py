"""What happens to metrics of OpenTelemetry at the door?"""

import copy
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from controlplane.domain.errors import Unreachable
from controlplane.store import Store
from controlplane.usecases.flags import create_flag
from tests.builders import NOW, a_cause, a_flag_document
from tests.web.edge.plane import FakeClock, Plane, Response, serving
from web.edge.otlp import MOST_POINTS

GOLDEN = json.loads((Path(__file__).parents[2] / "contract" / "metrics.json").read_text())
NANOSECONDS = 10**9


@pytest.fixture(autouse=True)
def _flag(store: Store) -> None:
    create_flag(store, "production", a_flag_document(), a_cause())


def a_request() -> Any:
    """The golden one, of the ten seconds before now."""
    request = copy.deepcopy(GOLDEN)
    end = int(NOW.timestamp()) * NANOSECONDS
    for metric in metrics(request):
        for point in points(metric):
            point |= {"startTimeUnixNano": str(end - 10 * NANOSECONDS), "timeUnixNano": str(end)}
    return request


def metrics(request: Any) -> Any:
    return request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]


def points(metric: Any) -> Any:
    return metric["exponentialHistogram" if "exponentialHistogram" in metric else "sum"]["dataPoints"]


def send(plane: Plane, request: Any, **headers: str) -> Response:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return plane.request("POST", "/v1/metrics", body, **{"Content_Type": "application/json", **headers})


def cells(plane: Plane) -> list[dict[str, Any]]:
    with plane.store.reading() as uow:
        rows = uow.journal.oldest(1000)
        return [cell for row in rows for report in json.loads(row.body) for cell in report["cells"]]


def test_the_golden_request_becomes_cells(plane: Plane) -> None:
    answer = send(plane, a_request())

    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", b"{}")
    measured, counted = cells(plane)
    assert (measured["backend"], measured["calls"], measured["ok"], measured["errors"]) == ("snakepit", 4, 4, {})
    assert measured["latency"] == {"-80": 1, "26": 1, "27": 1, "28": 1}
    assert (counted["backend"], counted["calls"], counted["errors"], counted["latency"]) == (
        *("python_pool_v2", 3),
        *({"timeout": 3}, {}),
    )
    assert {(each["operation"], each["assigned_by"], each["keys"]) for each in (measured, counted)} == {
        ("echo", "unknown", 0)
    }
    assert measured["start"] == int(NOW.timestamp()) - 10


def test_protobuf_says_the_same_and_is_answered_in_protobuf(plane: Plane) -> None:
    request = json_format.ParseDict(a_request(), ExportMetricsServiceRequest())

    answer = send(plane, request.SerializeToString(), Content_Type="application/x-protobuf")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportMetricsServiceResponse.FromString(answer.body).HasField("partial_success")
    assert [each["calls"] for each in cells(plane)] == [4, 3]


def test_the_same_in_json_and_in_protobuf_counts_once(plane: Plane) -> None:
    request = json_format.ParseDict(a_request(), ExportMetricsServiceRequest())

    send(plane, a_request())
    send(plane, a_request())
    send(plane, request.SerializeToString(), Content_Type="application/x-protobuf")

    assert len(cells(plane)) == 2


def test_processes_that_tell_the_same_are_told_apart(plane: Plane) -> None:
    other = a_request()
    other["resourceMetrics"][0]["resource"]["attributes"][1]["value"]["stringValue"] = "pod-8"

    send(plane, a_request())
    send(plane, other)

    assert len(cells(plane)) == 4


def test_a_zipped_body_is_accepted(plane: Plane) -> None:
    assert send(plane, gzip.compress(json.dumps(a_request()).encode()), Content_Encoding="gzip").status == 200
    assert len(cells(plane)) == 2


def test_enumerations_by_name_numbers_as_numbers_and_unknown_fields_are_read(plane: Plane) -> None:
    request = a_request()
    histogram, counter = metrics(request)
    histogram["exponentialHistogram"]["aggregationTemporality"] = "AGGREGATION_TEMPORALITY_DELTA"
    points(histogram)[0] |= {"count": 4, "zeroCount": 1, "negative": {"bucketCounts": ["0"]}, "fresh": {"a": [1]}}
    points(counter)[0].pop("asInt")
    points(counter)[0]["asDouble"] = 3.0

    assert send(plane, request).body == b"{}"
    assert [each["calls"] for each in cells(plane)] == [4, 3]


def partly(answer: Response) -> tuple[int, str]:
    assert answer.status == 200
    told = answer.json["partialSuccess"]
    return int(told["rejectedDataPoints"]), told["errorMessage"]


def changed(**changes: Any) -> Any:
    def change(histogram: Any, _counter: Any) -> None:
        points(histogram)[0].update(changes)

    return change


def renamed(name: str, value: str) -> Any:
    def change(histogram: Any, _counter: Any) -> None:
        point = points(histogram)[0]
        point["attributes"] = [each for each in point["attributes"] if each["key"] != name]
        point["attributes"] += [{"key": name, "value": {"stringValue": value}}] if value else []

    return change


def explicit(histogram: Any, _counter: Any) -> None:
    told = histogram.pop("exponentialHistogram")
    histogram["histogram"] = {**told, "dataPoints": [{"count": "1", "bucketCounts": ["1"]}]}


def cumulative(histogram: Any, _counter: Any) -> None:
    histogram["exponentialHistogram"]["aggregationTemporality"] = 2


def in_minutes(histogram: Any, _counter: Any) -> None:
    histogram["unit"] = "min"


def gauge(_histogram: Any, counter: Any) -> None:
    counter["gauge"] = {"dataPoints": counter.pop("sum")["dataPoints"]}


def up_and_down(_histogram: Any, counter: Any) -> None:
    counter["sum"]["isMonotonic"] = False


def counted_since_the_start(_histogram: Any, counter: Any) -> None:
    counter["sum"]["aggregationTemporality"] = 2


def halves(_histogram: Any, counter: Any) -> None:
    points(counter)[0].pop("asInt")
    points(counter)[0]["asDouble"] = 2.5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (explicit, "throwbar.call.duration: it is no exponential histogram: set OTEL_EXPORTER_OTLP_METRICS_DEFAULT_"),
        (cumulative, "throwbar.call.duration: its temporality is not delta: set OTEL_EXPORTER_OTLP_METRICS_TEMPORAL"),
        (in_minutes, "throwbar.call.duration: its unit is 'min', neither s nor ms"),
        (gauge, "throwbar.calls: it is no counter"),
        (up_and_down, "throwbar.calls: it is no counter"),
        (counted_since_the_start, "throwbar.calls: its temporality is not delta"),
        (halves, "throwbar.calls: 2.5 is no number of calls"),
        (changed(count="5"), "throwbar.call.duration: its count is not the sum of its buckets"),
        (changed(scale=21), "throwbar.call.duration: its scale is 21"),
        (changed(negative={"bucketCounts": ["1"]}), "throwbar.call.duration: it has negative durations"),
        (changed(count=str(10**9 + 4), zeroCount=str(10**9 + 1)), "throwbar.call.duration: it counts more than"),
        (renamed("feature_flag.key", ""), "throwbar.call.duration: the attribute feature_flag.key is missing"),
        (renamed("throwbar.operation", "a\nb"), "throwbar.call.duration: the attribute throwbar.operation is missing"),
        (renamed("feature_flag.result.variant", "x" * 101), "throwbar.call.duration: the attribute feature_flag.res"),
        (renamed("feature_flag.key", "nobody"), "there is no flag 'nobody' in this environment"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_number_and_sentence_and_the_rest_is_counted(
    plane: Plane, change: Any, sentence: str
) -> None:
    request = a_request()
    change(*metrics(request))

    number, message = partly(send(plane, request))

    assert number == 1
    assert message.startswith(f"1 × {sentence}")
    assert len(cells(plane)) == 1


def test_an_error_of_another_kind_is_one_of_the_system(plane: Plane) -> None:
    request = a_request()
    renamed("error.type", "ECONNRESET")(*metrics(request))

    send(plane, request)

    assert cells(plane)[0]["errors"] == {"system": 4}


def test_points_that_hold_nothing_are_nothing(plane: Plane) -> None:
    request = a_request()
    changed(count="0", zeroCount="0", positive={})(*metrics(request))
    points(metrics(request)[1])[0]["flags"] = 1

    assert send(plane, request).body == b"{}"
    assert cells(plane) == []


def test_more_points_than_a_request_may_have_are_refused(plane: Plane) -> None:
    request = a_request()
    counter = metrics(request)[1]
    counter["sum"]["dataPoints"] = points(counter) * (MOST_POINTS + 1)
    metrics(request).pop(0)

    number, message = partly(send(plane, gzip.compress(json.dumps(request).encode()), Content_Encoding="gzip"))

    assert (number, message) == (1, f"1 × one request may have {MOST_POINTS} points: send fewer at once")


def test_other_metrics_are_passed_over_and_a_request_without_ours_hears_so(plane: Plane) -> None:
    request = a_request()
    metrics(request).append({"name": "http.server.request.duration", "unit": "s", "histogram": {"dataPoints": [{}]}})
    assert send(plane, request).body == b"{}"

    del metrics(request)[:2]
    answer = send(plane, request)

    assert answer.json["partialSuccess"] == {"errorMessage": "none of its 1 metrics is one that is counted here"}
    assert send(plane, {}).body == b"{}"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{", "application/json"), (b"[]", "application/json"), (b"\xff", "application/x-protobuf")]
)
def test_what_is_no_request_is_refused_for_good(plane: Plane, body: bytes, kind: str) -> None:
    answer = send(plane, body, Content_Type=kind)

    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json["detail"].startswith("the body is no ExportMetricsServiceRequest")
    assert plane.edge.counts["metrics:malformed"] == 1


def test_a_mistake_far_down_is_one_sentence(plane: Plane) -> None:
    request = a_request()
    metrics(request)[1]["sum"]["dataPoints"][0]["asInt"] = "9223372036854775808"
    too_large = send(plane, request).json["detail"]
    nested = {"stringValue": "x"}
    for _ in range(90):
        nested = {"arrayValue": {"values": [nested]}}
    request["resourceMetrics"][0]["resource"]["attributes"][0]["value"] = nested
    too_deep = send(plane, request).json["detail"]

    place = "resourceMetrics.scopeMetrics.metrics.dataPoints.asInt"
    told = f"the body is no ExportMetricsServiceRequest: Value out of range: 9223372036854775808, at {place}"
    assert too_large.replace(".sum", "") == told
    assert "too deep" in too_deep
    assert len(too_deep) < 500


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_type_is_refused(plane: Plane, kind: str) -> None:
    assert send(plane, a_request(), Content_Type=kind).status == 415


def test_a_body_that_is_too_large_is_refused_also_once_it_is_inflated(plane: Plane) -> None:
    large = b" " * ((4 << 20) + 1)

    assert send(plane, large).status == 413
    answer = send(plane, gzip.compress(large), Content_Encoding="gzip")
    assert (answer.status, answer.json["detail"]) == (
        413,
        "a request may have 4194304 bytes: send fewer points at once",
    )


def test_only_services_may_tell_metrics(plane: Plane, admin_token: str) -> None:
    assert plane.request("POST", "/v1/metrics", b"{}", token=None, Content_Type="application/json").status == 401
    assert plane.request("POST", "/v1/metrics", b"{}", token=admin_token, Content_Type="application/json").status in (
        *(401, 403),
    )
    assert plane.request("GET", "/v1/metrics").status == 405


def test_what_is_not_durable_is_asked_for_again(store: Store, clock: FakeClock, sdk_token: str) -> None:
    def away(*_: object) -> Any:
        raise Unreachable("the database does not answer")

    with serving(store, clock, sdk_token, meter=away) as plane:
        answer = send(plane, a_request())

        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert plane.edge.counts["metrics:not_durable"] == 1


def test_what_came_too_late_is_refused(plane: Plane, clock: FakeClock) -> None:
    clock.pass_by(timedelta(seconds=700))

    number, message = partly(send(plane, a_request()))

    assert number == 2
    assert message.startswith("2 × its time is not within 600 seconds before now")
