"""Programs that run the service in one way each, and print a line for each call: what was served, and by whom.

python -m tests.sdk.recipe_programs fork|spawn|threads|asyncio
"""

import asyncio
import json
import multiprocessing
import sys
import threading
import time

from tests.sdk.recipe_service import aread, client, orders, serve

WORKERS, CALLS = 3, 5
PATIENCE_SECONDS = 50.0


def served(backend):
    """Wait until calls would go there."""
    assert client.wait_ready(PATIENCE_SECONDS)
    end = time.monotonic() + PATIENCE_SECONDS
    while orders.decide("read").backend != backend:
        assert time.monotonic() < end, f"calls never went to {backend}"
        time.sleep(0.02)


def work(backend):
    """What one worker process does."""
    served(backend)
    answers = [serve() for _ in range(CALLS)]
    client.close(20)
    return answers


def processes(method):
    served("new")
    here = serve()
    context = multiprocessing.get_context(method)
    with context.Pool(WORKERS, maxtasksperchild=1) as pool:
        answers = pool.map(work, ["new"] * WORKERS, chunksize=1)
        pool.close()
        pool.join()
    return [here, *(answer for each in answers for answer in each)]


def threads():
    served("new")
    answers = []
    workers = [threading.Thread(target=lambda: answers.extend(serve() for _ in range(CALLS))) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    return answers


async def tasks():
    await asyncio.to_thread(served, "new")

    async def calls():
        return [{"backend": await aread.acall(), "instance": client.status().instance} for _ in range(CALLS)]

    return [answer for each in await asyncio.gather(*(calls() for _ in range(WORKERS))) for answer in each]


def main(way):
    found = {"threads": threads, "asyncio": lambda: asyncio.run(tasks())}.get(way, lambda: processes(way))()
    for answer in found:
        sys.stdout.write(json.dumps(answer) + "\n")
    assert client.flush(20)
    client.close(20)


if __name__ == "__main__":
    main(sys.argv[1])
