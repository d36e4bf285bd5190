"""Our client as the benchmarks use it: ready, on a control plane in memory, its thread asleep while the clock runs."""

import throwbar
from bench.scale import Scale
from throwbar.testing import ControlPlane

PERCENT = 10


def a_plane(scale: Scale, bucket_seconds: int = 10) -> ControlPlane:
    plane = ControlPlane(bucket_seconds=bucket_seconds)
    for number in range(scale.flags):
        plane.set(f"flag-{number}", echo=PERCENT, simple_predict=PERCENT)
    return plane


def a_client(plane: ControlPlane) -> throwbar.Client:
    client = throwbar.Client(
        "http://bench.test", "t", backup_file=False, transport=plane, poll_interval=3600, report_interval=3600
    )
    assert client.wait_ready(60)
    return client
