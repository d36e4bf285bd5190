"""Real exceptions of redis-py, raised by sockets that refuse, close, and speak a little of the protocol."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.sdk.fake_redis import on_increment, replying
from tests.sdk.loopback import Loopback, hang_up, refusing, reset, silent
from throwbar.evidence import classify


def failure_of(port, retries=0, patience=60):
    backoff = Retry(NoBackoff(), retries)
    client = redis.Redis(port=port, host="127.0.0.1", protocol=2, socket_timeout=patience, retry=backoff)
    with client, pytest.raises(redis.RedisError) as caught:
        client.incr("balance")
    return caught.value


def test_refused_is_unknown_because_redis_may_have_retried():
    with refusing() as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery) == ("connection", "unknown")


def test_refused_after_a_retry_of_its_own_looks_just_like_refused_at_once():
    """Why the test above must be so: with the client's default settings the first try may have been carried out."""
    increments = []

    def carry_out_and_die(connection):
        increments.append(connection)
        server.refuse_from_now_on()
        hang_up(connection)

    server = Loopback(on_increment(carry_out_and_die))
    with server as port:
        error = failure_of(port, retries=3)

    assert len(increments) == 1
    assert "refused" in str(error)
    assert classify(error).delivery == "unknown"


@pytest.mark.parametrize("react", [hang_up, reset], ids=["closed", "reset"])
def test_a_lost_reply_is_unknown(react):
    with Loopback(on_increment(react)) as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery) == ("communication", "unknown")


def test_no_reply_in_time_is_unknown():
    with Loopback(on_increment(silent)) as port:
        info = classify(failure_of(port, patience=0.3))

    assert (info.category, info.delivery) == ("timeout", "unknown")


@pytest.mark.parametrize(
    ("reply", "category", "delivery"),
    [
        (b"-LOADING Redis is loading the dataset in memory", "resource", "unknown"),
        (b"-READONLY You can't write against a read only replica.", "resource", "unknown"),
        (b"-OOM command not allowed", "resource", "unknown"),
        (b"-CLUSTERDOWN The cluster is down", "resource", "unknown"),
        (b"-TRYAGAIN Multiple keys request during rehashing of slot", "conflict", "unknown"),
        (b"-WRONGTYPE Operation against a key holding the wrong kind of value", "validation", "rejected"),
        (b"-NOAUTH Authentication required.", "validation", "rejected"),
        (b"nonsense", "communication", "unknown"),
    ],
)
def test_what_a_reply_means(reply, category, delivery):
    with Loopback(on_increment(replying(reply))) as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery) == (category, delivery)
