"""/metrics: the same numbers for Prometheus."""

from collections.abc import Iterator

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from controlplane.usecases.metrics import HELP, Measure, measure
from web.wiring import wired

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def show() -> Response:
    """Gauges in Prometheus' text format; read from the database at each scrape."""
    wiring = wired()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(measure(wiring.store, wiring.clock(), wiring.clockwork)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Now(Collector):
    """What was measured at this scrape."""

    def __init__(self, measures: list[Measure]) -> None:
        self._measures = measures

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, sentence in HELP.items():
            own = [each for each in self._measures if each.name == name]
            if own:
                family = GaugeMetricFamily(name, sentence, labels=list(own[0].labels))
                for each in own:
                    family.add_metric(list(each.labels.values()), float(each.value))
                yield family
