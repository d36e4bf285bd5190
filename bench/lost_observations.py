"""Is every call counted, with eight threads that never stop for the reports in between?"""

import threading
from collections.abc import Iterator

import throwbar
from bench.against_calls import new_work, work
from bench.our_client import a_client, a_plane
from bench.scale import Scale
from bench.scores import Score

THREADS = 8
FLUSH_SECONDS = 0.25


def scores(scale: Scale) -> Iterator[Score]:
    plane = a_plane(Scale(flags=10), bucket_seconds=1)
    client = a_client(plane)
    operation = client.migration("flag-7").operation("echo", kind=throwbar.READ)
    operation.baseline(work)
    operation.candidate(new_work)
    each = scale.observations // THREADS

    def run() -> None:
        for number in range(each):
            operation(number, key=f"session-{number % 5000}")

    workers = [threading.Thread(target=run) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    flushes = 0
    while any(worker.is_alive() for worker in workers):
        workers[-1].join(FLUSH_SECONDS)
        client.flush(60)
        flushes += 1
    client.close(60)
    counted = sum(plane.calls("flag-7", "echo", side) for side in ("baseline", "candidate"))
    lost = each * THREADS - counted
    yield Score(f"lost of {each * THREADS:,} by {THREADS} threads, {flushes} flushes", f"{lost}", "", "0", lost == 0)
