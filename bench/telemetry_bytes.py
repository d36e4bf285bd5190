"""How many bytes does telemetry take, and do they grow with the number of calls?"""

import json
from collections.abc import Iterator

import throwbar
from bench.against_calls import new_work, work
from bench.our_client import a_client, a_plane
from bench.scale import Scale
from bench.scores import Score


def scores(scale: Scale) -> Iterator[Score]:
    few, many = scale.calls // 20, scale.calls * 5
    sizes = {calls: _bytes_a_cell(calls) for calls in (few, many)}
    for calls, size in sizes.items():
        yield Score(f"a cell of {calls:,} calls", f"{size:.0f} bytes", "", "≤ 1024 bytes", size <= 1024)
    growth = sizes[many] / sizes[few]
    # No goal of its own: what grows are buckets of the histogram that are in use, of which there are 241.
    yield Score(f"{many // few} times the calls", f"{growth:.2f}× the bytes")


def _bytes_a_cell(calls: int) -> float:
    """The largest, as JSON on the wire, before compression."""
    plane = a_plane(Scale(flags=10))
    client = a_client(plane)
    operation = client.migration("flag-7").operation("echo", kind=throwbar.READ)
    operation.baseline(work)
    operation.candidate(new_work)
    for number in range(calls):
        operation(number, key=f"session-{number}")
    client.close(30)
    return max(len(json.dumps(cell)) for report in plane.reports for cell in report["cells"])
