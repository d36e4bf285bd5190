"""Real exceptions of gRPC, from a real server in this process."""

import asyncio
import concurrent.futures
import threading

import grpc
import pytest

from tests.sdk.loopback import refusing
from throwbar.evidence import classify

LIMIT = 4 << 20  # bytes; a client's default for one message


def plain(function):
    return grpc.unary_unary_rpc_method_handler(function)


def aborting(status, *metadata):
    def handle(request, context):
        context.set_trailing_metadata(metadata)
        context.abort(status, "as ordered")

    return plain(handle)


class Service:
    """Methods that fail, each in its own way; `handled` lists the requests whose handler came to its end."""

    def __init__(self):
        self.handled = []
        self.over = threading.Event()
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        methods = {status.name: aborting(status) for status in grpc.StatusCode if status is not grpc.StatusCode.OK}
        methods |= {
            "Slow": plain(lambda request, context: self.over.wait(120) and b""),
            "Broken": plain(lambda request, context: {}[request]),
            "Big": plain(self._big),
            "Later": aborting(grpc.StatusCode.RESOURCE_EXHAUSTED, ("grpc-retry-pushback-ms", "1500")),
            "Never": aborting(grpc.StatusCode.UNAVAILABLE, ("grpc-retry-pushback-ms", "-1")),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("throwbar.Test", methods),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.stop(None).wait()

    def _big(self, request, context):
        self.handled.append(request)
        return b"x" * (LIMIT + 1)


@pytest.fixture(scope="module")
def service():
    with Service() as service:
        yield service


def failure_of(port, method, timeout=60):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/throwbar.Test/{method}")(b"what must not be done twice", timeout=timeout)
    return caught.value


@pytest.mark.parametrize(
    ("status", "category", "delivery", "countable"),
    [
        ("INVALID_ARGUMENT", "validation", "rejected", False),
        ("NOT_FOUND", "validation", "rejected", False),
        ("ALREADY_EXISTS", "validation", "rejected", False),
        ("PERMISSION_DENIED", "validation", "rejected", False),
        ("UNAUTHENTICATED", "validation", "rejected", False),
        ("FAILED_PRECONDITION", "validation", "rejected", False),
        ("OUT_OF_RANGE", "validation", "rejected", False),
        ("ABORTED", "conflict", "rejected", True),
        ("RESOURCE_EXHAUSTED", "throttled", "unknown", True),
        ("UNAVAILABLE", "resource", "unknown", True),
        ("DEADLINE_EXCEEDED", "timeout", "unknown", True),
        ("UNKNOWN", "application", "unknown", True),
        ("INTERNAL", "application", "unknown", True),
        ("UNIMPLEMENTED", "application", "unknown", True),
        ("DATA_LOSS", "application", "unknown", True),
        ("CANCELLED", "cancelled", "unknown", False),
    ],
)
def test_what_a_status_means(service, status, category, delivery, countable):
    info = classify(failure_of(service.port, status))

    assert (info.category, info.delivery, info.countable) == (category, delivery, countable)
    assert info.because == f"gRPC status {status}"


def test_refused_is_unknown_because_it_looks_like_a_loss_in_the_middle():
    with refusing() as port:
        error = failure_of(port, "Slow")

    info = classify(error)

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert (info.category, info.delivery) == ("resource", "unknown")


def test_no_answer_in_time_is_unknown(service):
    info = classify(failure_of(service.port, "Slow", timeout=0.2))

    assert (info.category, info.delivery) == ("timeout", "unknown")


def test_an_exception_in_the_handler_is_the_applications(service):
    info = classify(failure_of(service.port, "Broken"))

    assert (info.category, info.delivery) == ("application", "unknown")


def test_a_method_that_does_not_exist_is_the_applications(service):
    info = classify(failure_of(service.port, "Missing"))

    assert (info.category, info.because) == ("application", "gRPC status UNIMPLEMENTED")


def test_a_reply_above_the_clients_limit_is_not_taken_for_a_refusal(service):
    """The client's library says RESOURCE_EXHAUSTED, as a throttling server does, but the call has been carried out."""
    error = failure_of(service.port, "Big")

    info = classify(error)

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(service.handled) == 1
    assert info.delivery == "unknown"


def test_the_servers_push_back_is_the_time_to_wait(service):
    assert classify(failure_of(service.port, "Later")).retry_after == 1.5


def test_a_negative_push_back_means_no_retry(service):
    info = classify(failure_of(service.port, "Never"))

    assert (info.category, info.retryable, info.retry_after) == ("resource", False, None)


def test_the_asyncio_flavour_means_the_same(service):
    async def call():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            await channel.unary_unary("/throwbar.Test/Later")(b"")

    with pytest.raises(grpc.RpcError) as caught:
        asyncio.run(call())

    info = classify(caught.value)

    assert (info.category, info.delivery, info.retry_after) == ("throttled", "unknown", 1.5)


def test_a_call_that_we_cancelled_is_cancelled(service):
    with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
        call = channel.unary_unary("/throwbar.Test/Slow").future(b"")
        call.cancel()
        with pytest.raises(grpc.FutureCancelledError) as caught:
            call.result()

    assert classify(caught.value).category == "cancelled"
