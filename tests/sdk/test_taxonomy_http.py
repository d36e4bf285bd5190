"""Real exceptions of the HTTP clients, raised by real sockets."""

import asyncio
import threading
import urllib.error
import urllib.request

import aiohttp
import httpx
import pytest
import requests
from urllib3.util import Retry

from tests.sdk.loopback import (
    Loopback,
    answering,
    close_after_reading,
    hang_up,
    read_request,
    refusing,
    reset_after_reading,
    saying,
    silent,
)
from throwbar.evidence import classify

PATIENCE = 60.0  # seconds; a busy machine must not look like a silent server
IMPATIENCE = 0.3  # with a server that is silent for ever
BODY = b"what must not be done twice"


def post_with_requests(url, patience=PATIENCE):
    with requests.Session() as session, session.post(url, data=BODY, timeout=(PATIENCE, patience)) as response:
        response.raise_for_status()
        return response.json()


def post_with_httpx(url, patience=PATIENCE):
    response = httpx.post(url, content=BODY, timeout=httpx.Timeout(PATIENCE, read=patience))
    response.raise_for_status()
    return response.json()


def post_with_aiohttp(url, patience=PATIENCE):
    async def post():
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=patience)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, data=BODY) as response:
            response.raise_for_status()
            return await response.json()

    return asyncio.run(post())


def post_with_urllib(url, patience=PATIENCE):
    try:
        with urllib.request.urlopen(url, data=BODY, timeout=patience) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise


CLIENTS = [post_with_requests, post_with_httpx, post_with_aiohttp, post_with_urllib]


def failure_of(call, *arguments):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any exception: which one is the question
        call(*arguments)
    return caught.value


@pytest.fixture(params=CLIENTS, ids=lambda call: call.__name__.removeprefix("post_with_"))
def post(request):
    def fail(port, *patience):
        return classify(failure_of(request.param, f"http://127.0.0.1:{port}/", *patience))

    return fail


def test_refused_is_not_sent(post):
    with refusing() as port:
        info = post(port)

    assert (info.category, info.delivery) == ("connection", "not_sent")


@pytest.mark.parametrize("behave", [close_after_reading, reset_after_reading])
def test_a_lost_reply_is_unknown(post, behave):
    with Loopback(behave) as port:
        info = post(port)

    assert (info.category, info.delivery) == ("communication", "unknown")


def test_no_reply_in_time_is_unknown(post):
    with Loopback(silent) as port:
        info = post(port, IMPATIENCE)

    assert (info.category, info.delivery) == ("timeout", "unknown")


@pytest.mark.parametrize("call", CLIENTS[:3])
@pytest.mark.parametrize(
    "reply", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], ids=["nonsense", "half"]
)
def test_a_broken_reply_is_unknown_even_where_the_client_calls_it_a_400(call, reply):
    with Loopback(saying(reply)) as port:
        error = failure_of(call, f"http://127.0.0.1:{port}/")

    info = classify(error)

    assert (info.category, info.delivery) == ("communication", "unknown")


@pytest.mark.parametrize(
    ("status", "category", "delivery", "countable"),
    [
        ("400 Bad Request", "validation", "rejected", False),
        ("404 Not Found", "validation", "rejected", False),
        ("408 Request Timeout", "timeout", "unknown", True),
        ("409 Conflict", "validation", "rejected", False),
        ("425 Too Early", "communication", "rejected", True),
        ("429 Too Many Requests", "throttled", "rejected", True),
        ("500 Internal Server Error", "application", "unknown", True),
        ("502 Bad Gateway", "communication", "unknown", True),
        ("503 Service Unavailable", "resource", "unknown", True),
        ("504 Gateway Timeout", "timeout", "unknown", True),
    ],
)
def test_what_an_error_status_means(post, status, category, delivery, countable):
    with Loopback(answering(status, "Retry-After: 7")) as port:
        info = post(port)

    assert (info.category, info.delivery, info.countable) == (category, delivery, countable)
    assert info.retry_after == (7.0 if info.retryable else None)
    assert info.because == f"HTTP status {status[:3]}"


def test_a_good_reply_of_a_wrong_type_is_applied():
    with Loopback(answering("200 OK", "Content-Type: text/html", body="<p>")) as port:
        info = classify(failure_of(post_with_aiohttp, f"http://127.0.0.1:{port}/"))

    assert (info.category, info.delivery) == ("communication", "applied")


@pytest.mark.parametrize("call", [post_with_requests, post_with_httpx])
def test_a_reply_that_is_no_json_is_unknown(call):
    with Loopback(answering("200 OK", body="<p>")) as port:
        info = classify(failure_of(call, f"http://127.0.0.1:{port}/"))

    assert (info.category, info.delivery) == ("communication", "unknown")


@pytest.mark.parametrize("call", CLIENTS[:3])
def test_an_address_that_is_none_is_not_sent_and_not_worth_another_try(call):
    info = classify(failure_of(call, "nothing://127.0.0.1/"))

    assert (info.category, info.delivery, info.retryable) == ("application", "not_sent", False)


def test_refused_after_a_retry_of_its_own_proves_nothing_about_the_first_try():
    """urllib3 names the last failure only; what the first one did is not in it."""
    seen = []

    def serve_once(connection):
        seen.append(read_request(connection))
        server.refuse_from_now_on()
        hang_up(connection)

    server = Loopback(serve_once)
    with server as port, requests.Session() as session:
        retries = requests.adapters.HTTPAdapter(max_retries=Retry(3, allowed_methods=None))
        session.mount("http://", retries)
        error = failure_of(lambda: session.post(f"http://127.0.0.1:{port}/", data=BODY))

    info = classify(error)

    assert seen == [BODY]
    assert "refused" in str(error)
    assert (info.category, info.delivery) == ("connection", "unknown")


@pytest.mark.parametrize("call", [post_with_requests, post_with_urllib])
def test_refused_after_a_redirect_proves_nothing_about_the_first_request(call):
    with refusing() as nowhere, Loopback(answering("303 See Other", f"Location: http://127.0.0.1:{nowhere}/")) as port:
        info = classify(failure_of(call, f"http://127.0.0.1:{port}/"))

    assert (info.category, info.delivery) == ("connection", "unknown")


@pytest.mark.parametrize("call", [post_with_requests, post_with_aiohttp])
def test_throttled_after_a_redirect_proves_nothing_about_the_first_request(call):
    with Loopback(answering("429 Too Many Requests")) as throttled:
        see_other = answering("303 See Other", f"Location: http://127.0.0.1:{throttled}/")
        with Loopback(see_other) as port:
            info = classify(failure_of(call, f"http://127.0.0.1:{port}/"))

    assert (info.category, info.delivery) == ("throttled", "unknown")


def test_waiting_for_a_connection_of_the_pool_is_not_sent():
    async def exhaust(port):
        limits = httpx.Limits(max_connections=1)
        timeout = httpx.Timeout(PATIENCE, pool=0.05)
        async with httpx.AsyncClient(limits=limits, timeout=timeout) as client:
            first = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await asyncio.to_thread(arrived.acquire)
            try:
                await client.get(f"http://127.0.0.1:{port}/")
            finally:
                first.cancel()
                await asyncio.wait([first])

    def hold(connection):
        read_request(connection)
        arrived.release()
        silent(connection)

    arrived = threading.Semaphore(0)
    with Loopback(hold) as port:
        error = failure_of(lambda: asyncio.run(exhaust(port)))

    assert isinstance(error, httpx.PoolTimeout)
    assert classify(error).delivery == "not_sent"


def test_a_cancelled_call_is_cancelled():
    async def give_up(port):
        async with aiohttp.ClientSession() as session:
            task = asyncio.create_task(session.post(f"http://127.0.0.1:{port}/", data=BODY))
            await asyncio.to_thread(arrived.acquire)
            task.cancel()
            await task

    def hold(connection):
        read_request(connection)
        arrived.release()
        silent(connection)

    arrived = threading.Semaphore(0)
    with Loopback(hold) as port, pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(give_up(port))

    assert classify(caught.value).category == "cancelled"
