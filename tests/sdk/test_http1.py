import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar import http1
from throwbar.http1 import read_answer, request

OK = b"HTTP/1.1 200 OK\r\n"


class Pieces:
    """A connection on which these bytes arrive one piece after the other; then it is closed."""

    def __init__(self, *pieces):
        self.left = [piece for piece in pieces if piece]

    def sendall(self, data):
        raise AssertionError("an answer is only read")

    def recv(self, size):
        piece = self.left.pop(0) if self.left else b""
        if len(piece) > size:
            self.left.insert(0, piece[size:])
        return piece[:size]


def answer(*pieces):
    return read_answer(Pieces(*pieces), time.monotonic() + 60)


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


BODIES = st.binary(max_size=40)
ANSWERS = st.one_of(
    BODIES.map(lambda body: (OK + b"Content-Length: %d\r\n\r\n" % len(body) + body, body, False)),
    BODIES.map(lambda body: (OK + b"\r\n" + body, body, True)),
    st.lists(BODIES.filter(bool), max_size=4).map(
        lambda chunks: (OK + b"transfer-encoding: Chunked\r\n\r\n" + chunked(*chunks), b"".join(chunks), False)
    ),
)


@given(ANSWERS, st.lists(st.integers(0, 200), max_size=12))
def test_an_answer_is_the_same_however_it_is_cut_on_its_way(one, cuts):
    raw, body, last = one
    at = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})

    found = answer(*(raw[start:end] for start, end in pairwise(at)))

    assert (found.status, found.body, found.last) == (200, body, last)


@given(ANSWERS, st.data())
def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(one, data):
    raw, _, to_its_end = one
    cut = data.draw(st.integers(0, len(raw) - 1))
    head = raw.index(b"\r\n\r\n") + 4

    if to_its_end and cut >= head:
        return  # whoever does not say how long it is must be believed
    with pytest.raises(EOFError):
        answer(raw[:cut])


@given(st.binary(max_size=200))
def test_whatever_else_comes_is_no_answer_and_nothing_worse(raw):
    with pytest.raises((OSError, EOFError)):
        answer(raw)


@given(ANSWERS, st.integers(0, 80), st.binary(min_size=1, max_size=3))
def test_a_damaged_answer_is_read_or_refused(one, at, damage):
    raw = one[0]
    with suppress(OSError, EOFError):
        answer(raw[:at] + damage + raw[at + len(damage) :])


@pytest.mark.parametrize(
    ("head", "last"),
    [
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive, CLOSE\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", True),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", False),
    ],
)
def test_who_closes_the_connection_is_told(head, last):
    assert answer(head + b"Content-Length: 2\r\n\r\nok").last is last


@pytest.mark.parametrize("status", [204, 304])
def test_these_have_no_body_whatever_their_length_says(status):
    found = answer(b"HTTP/1.1 %d x\r\nContent-Length: 900\r\nETag: e\r\n\r\n" % status)

    assert (found.status, found.body, found.headers["etag"], found.last) == (status, b"", "e", False)


def test_what_is_sent_beyond_an_answer_ends_the_connection():
    assert answer(OK + b"Content-Length: 2\r\n\r\nok" + OK).last


def test_an_early_hint_is_not_the_answer():
    found = answer(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", OK + b"\r\nbody")

    assert (found.status, found.headers, found.body) == (200, {}, b"body")


def test_headers_are_joined_and_go_on_in_the_next_line():
    found = answer(OK + b"A: 1\nB: x\r\n  y\r\na:2\r\nContent-Length: 0, 0\r\n\r\n")

    assert found.headers == {"a": "1, 2", "b": "x y", "content-length": "0, 0"}


def test_extensions_and_trailers_of_chunks_are_passed_over():
    found = answer(OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nTrailer: t\r\n\r\n")

    assert (found.body, found.headers, found.last) == (b"ok", {"transfer-encoding": "chunked"}, False)


def test_a_body_of_many_small_chunks_is_read_to_its_end():
    assert answer(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*[b"x"] * 30_000)).body == b"x" * 30_000


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b" began: with a space\r\n\r\n",
        OK + b"space : before\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1, 2\r\n\r\nxx",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
        OK + b"a: 1\r\n" * 300 + b"\r\n",
        OK + b"a" * 200_000,
    ],
)
def test_what_no_server_may_say_is_refused(raw):
    with pytest.raises(http1.NoHttp):
        answer(raw)


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 9000\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*[b"x" * 90] * 20),
        OK + b"\r\n" + b"x" * 9000,
    ],
)
def test_a_body_above_the_limit_is_refused(monkeypatch, raw):
    monkeypatch.setattr(http1, "BODY_LIMIT", 1000)

    with pytest.raises(OSError, match="larger than"):
        answer(raw)


def test_time_is_up_however_often_a_piece_arrives():
    with pytest.raises(TimeoutError, match="did not end"):
        read_answer(Pieces(OK, b"\r\n", b"x"), time.monotonic() - 1)


def test_a_request_is_written_in_lines():
    assert request("POST", "/a?b=1", {"Host": "h:1", "X": "ä"}, b"body") == (
        b"POST /a?b=1 HTTP/1.1\r\nHost: h:1\r\nX: \xe4\r\nContent-Length: 4\r\n\r\nbody"
    )


def test_nothing_slips_a_line_into_a_request():
    with pytest.raises(ValueError, match="'X' of a request"):
        request("GET", "/", {"X": "a\r\nAuthorization: b"}, None)
