"""What happens to metrics at the door: read, heard, made durable, and answered in the words of OTLP."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from controlplane.usecases.metering import Batch
from web.edge.body import Bounds, read_body
from web.edge.http import NO_STORE, Answer, Problem, Receive, problem

REQUEST = Bounds("a request", 4 << 20, "send fewer points at once")
MOST_WAITING = 64  # requests; more would wait longer than exporters do
SENTENCES = 5  # of an answer
PROTOBUF = b"application/x-protobuf"
JSON = b"application/json"

Meter = Callable[[str, Sequence[Batch]], Mapping[str, int]]

_log = logging.getLogger(__name__)


class MetricsDoor:
    """`worker` is a thread of its own: to read megabytes of metrics takes longer than reports should wait."""

    def __init__(self, meter: Meter, worker: Executor, counts: Counter[str]) -> None:
        self._meter = meter
        self._worker = worker
        self._counts = counts
        self._waiting = 0

    async def take(self, environment: str, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        """200 once durable. Raises Problem: 503 may be sent again, everything else is final.

        What reads protobuf takes megabytes, and is loaded with the first request only.
        """
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind not in (PROTOBUF, JSON):
            raise problem(415, "send application/x-protobuf or application/json")
        body = await read_body(headers, receive, REQUEST)
        if self._waiting >= MOST_WAITING:
            raise self._later()
        self._waiting += 1
        working = asyncio.get_running_loop().run_in_executor(self._worker, self._record, environment, body, kind)
        try:
            await asyncio.wait({working})
        finally:
            self._waiting -= 1
        error = working.exception()
        if isinstance(error, Problem):
            self._counts["metrics:malformed"] += 1
            raise error
        if error:
            _log.error("metrics could not be recorded; their service sends them again", exc_info=error)
            raise self._later()
        answer, numbers = working.result()
        self._counts.update(numbers)
        return answer

    def _record(self, environment: str, body: bytes, kind: bytes) -> tuple[Answer, Mapping[str, int]]:
        """In the worker; what is to be counted comes back with the answer. Raises Problem 400."""
        from web.edge.otlp import MalformedRequest, encode_answer, hear, parse_request  # noqa: PLC0415 - see `take`

        try:
            heard = hear(parse_request(body, is_json=kind == JSON))
        except MalformedRequest as error:
            raise problem(400, str(error)) from None
        refused = heard.refused + Counter(self._meter(environment, heard.batches) if heard.batches else {})
        sentence = _sentence(refused, 0 if heard.batches else heard.others)
        points = sum(len(each.points) for each in heard.batches)
        numbers = {"metrics:points": points, "metrics:refused": refused.total()}
        return _answer(kind, encode_answer(refused.total(), sentence, is_json=kind == JSON)), numbers

    def _later(self) -> Problem:
        self._counts["metrics:not_durable"] += 1
        return problem(503, "the metrics were not recorded: send them again", (b"retry-after", b"1"))


def _sentence(refused: Counter[str], others: int) -> str:
    """What was refused and why; else, of a request with nothing to count, that there was nothing."""
    if not refused and others:
        return f"none of its {others} metrics is one that is counted here"
    return "; ".join(f"{number} × {sentence}" for sentence, number in refused.most_common(SENTENCES))


def _answer(kind: bytes, body: bytes) -> Answer:
    return Answer(200, ((b"content-type", kind), (b"content-length", b"%d" % len(body)), NO_STORE), body)
