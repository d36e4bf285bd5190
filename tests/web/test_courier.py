"""Does a letter go where it is meant for and nowhere else, and come back within its time; over real HTTP and TLS?"""

import socket
import ssl
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from controlplane.domain.delivery import Outcome
from controlplane.domain.destination import Allowed, read_allowed
from controlplane.usecases.delivering import Letter
from tests.infrastructure.webhook_receiver import CERTIFICATES, Answer, Receiver
from tests.sdk.loopback import refusing
from web.courier import LONGEST_ANSWER, Courier, _Line

HOME = read_allowed("127.0.0.1,localhost")
HEADERS = {"content-type": "application/cloudevents+json", "webhook-id": "evt_1"}


@pytest.fixture
def receiver():
    with ExitStack() as started:

        def start(*answers: Answer, tls: bool = False) -> Receiver:
            made = Receiver(*answers, tls=tls)
            started.callback(made.close)
            return made

        yield start


def post(url: str, courier: Courier | None = None) -> Outcome:
    outcome = (courier or Courier(HOME, answers_within=60))(Letter(url, HEADERS, b'{"a":1}'))
    assert outcome
    return outcome


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))


def test_a_letter_arrives_as_it_was_written(receiver) -> None:
    there = receiver(Answer(200, b"thanks"))

    outcome = post(f"{there.url}?key=1")

    (got,) = there.got
    assert (got.path, got.body) == ("/hook?key=1", b'{"a":1}')
    assert HEADERS.items() <= got.headers.items()
    assert got.headers["host"] == f"127.0.0.1:{there.port}"
    assert got.headers["user-agent"].startswith("Throwbar/")
    assert (outcome.status, outcome.answer, outcome.error) == (200, "thanks", "")
    assert outcome.milliseconds >= 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(receiver, status) -> None:
    elsewhere = receiver()
    there = receiver(Answer(status, headers={"location": elsewhere.url}))

    outcome = post(there.url)

    assert (outcome.status, outcome.is_success, elsewhere.got) == (status, False, [])


def test_nothing_private_is_asked_unless_it_is_allowed(receiver) -> None:
    there = receiver(tls=True)

    outcome = post(there.url, Courier(Allowed()))

    assert there.got == []
    assert "not on the public internet: THROWBAR_WEBHOOK_ALLOW_PRIVATE can allow it" in outcome.error


def test_a_name_is_judged_by_what_it_leads_to(receiver, monkeypatch) -> None:
    there = receiver(tls=True)
    monkeypatch.setattr(socket, "getaddrinfo", leading_to(["8.8.8.8", "127.0.0.1"]))

    outcome = post(f"https://innocent.example.org:{there.port}/", Courier(Allowed()))

    assert there.got == []
    assert outcome.error.startswith("its host leads to 127.0.0.1")


def leading_to(*answers):
    """A name server that says something else each time it is asked; addresses themselves mean what they say."""
    turns = list(answers)
    real = socket.getaddrinfo

    def found(host, port, *args, **named):
        if host[0].isdigit():
            return real(host, port, *args, **named)
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return found


def test_a_name_that_means_another_address_a_moment_later_is_not_asked_again(receiver, monkeypatch) -> None:
    there, inside = receiver(), receiver()
    asked = []
    rebinding = leading_to(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **named: asked.append(host) or rebinding(host, *rest, **named)
    )

    allowed = Allowed(hosts=frozenset({"rebinding.example.org"}))
    outcome = post(f"http://rebinding.example.org:{there.port}/", Courier(allowed))

    assert outcome.status == 204
    assert there.got[0].headers["host"] == f"rebinding.example.org:{there.port}"
    assert inside.got == []
    assert [each for each in asked if not each[0].isdigit()] == ["rebinding.example.org"]


def test_an_address_that_is_no_longer_allowed_is_refused(receiver) -> None:
    there = receiver()

    assert "must start with https://" in post(there.url, Courier(Allowed())).error
    assert there.got == []


def test_a_proxy_of_the_environment_is_not_asked(receiver, monkeypatch) -> None:
    there = receiver()
    with refusing() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")

        assert post(there.url).status == 204


def test_over_tls_the_name_in_the_certificate_counts(receiver) -> None:
    there = receiver(tls=True)
    named = f"https://localhost:{there.port}/hook"

    assert post(named, Courier(HOME, trusting())).status == 204
    assert post(named).error.startswith("its certificate is not trusted")


def test_a_certificate_of_another_host_is_refused(receiver, monkeypatch) -> None:
    there = receiver(tls=True)
    monkeypatch.setattr(socket, "getaddrinfo", leading_to(["127.0.0.1"]))
    allowed = Allowed(hosts=frozenset({"bank.example.org"}))

    outcome = post(f"https://bank.example.org:{there.port}/", Courier(allowed, trusting()))

    assert "its certificate is not trusted" in outcome.error
    assert there.got == []


def test_what_does_not_listen_or_has_no_name_says_so(monkeypatch) -> None:
    def nowhere(*_args, **_named):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with refusing() as port:
        assert "nobody listens there" in post(f"http://127.0.0.1:{port}/").error
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)  # a real name server may be slow, or know every name
    unknown = Courier(Allowed(hosts=frozenset({"nowhere.invalid"})))
    assert "the name is unknown" in post("http://nowhere.invalid/", unknown).error


def test_https_where_only_http_is_spoken_says_so(receiver) -> None:
    there = receiver()

    assert "TLS failed" in post(there.url.replace("http://", "https://"), Courier(HOME, trusting())).error


def dripping(handler) -> None:
    """A byte now and then, for as long as anybody listens: no single wait is long."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-endless: ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)
    except OSError:
        return


def silent(handler) -> None:
    handler.rfile.read(1)  # until the other side hangs up


@pytest.mark.parametrize("behave", [dripping, silent])
def test_an_answer_that_never_ends_is_cut(receiver, behave) -> None:
    outcome = post(receiver(Answer(behave=behave)).url, Courier(HOME, answers_within=0.3))

    assert (outcome.status, outcome.error) == (None, "it did not answer in full within 0.3 s")


def test_who_connects_in_time_may_take_its_time_to_answer(receiver, monkeypatch) -> None:
    connected = socket.create_connection

    def in_time(*args):
        """However long it took: the connection has the bound of connecting, which is short."""
        made = connected(*args)
        made.settimeout(0.05)
        return made

    def thinking(handler) -> None:
        time.sleep(0.2)
        handler.send_response(204)
        handler.end_headers()

    there = receiver(Answer(behave=thinking))
    monkeypatch.setattr(socket, "create_connection", in_time)

    outcome = post(there.url)

    assert (outcome.status, outcome.error) == (204, "")


def test_one_that_accepts_and_never_shakes_hands_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}/"

        outcome = post(url, Courier(HOME, trusting(), answers_within=0.3))

    assert outcome.error == "it did not answer in full within 0.3 s"


def flooding(handler) -> None:
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        return


def test_of_a_flood_only_the_beginning_is_read(receiver) -> None:
    outcome = post(receiver(Answer(behave=flooding)).url)

    assert (outcome.status, outcome.answer) == (200, "x" * LONGEST_ANSWER)


def test_an_answer_without_a_body_that_was_promised_has_answered(receiver) -> None:
    def breaking(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 50\r\n\r\nhalf")

    assert post(receiver(Answer(behave=breaking)).url).status == 202


def test_what_is_not_http_says_so(receiver) -> None:
    def babbling(handler) -> None:
        handler.wfile.write(b"220 mail.example.org ESMTP\r\n")

    assert post(receiver(Answer(behave=babbling)).url).error == "it answered something else than HTTP"


def test_what_cannot_be_shown_is_left_out(receiver) -> None:
    outcome = post(receiver(Answer(500, b"a\x00b\x1b[31m\xff\nc")).url)

    assert outcome.answer == "a b [31m\N{REPLACEMENT CHARACTER}\nc"


@pytest.mark.parametrize(
    ("status", "given", "seconds"),
    [(429, "7", 7), (503, "120", 120), (500, "7", None), (429, "soon", None), (429, "-1", None), (429, "٣", None)],
)
def test_a_busy_endpoint_says_when_to_come_back(receiver, status, given, seconds) -> None:
    outcome = post(receiver(Answer(status, headers={"retry-after": given.encode().decode("latin-1")})).url)

    assert (outcome.retry_after.total_seconds() if outcome.retry_after else None) == seconds


def test_a_courier_that_is_closed_cuts_what_is_under_way_and_takes_nothing_more(receiver) -> None:
    there, courier, came_back = receiver(Answer(behave=silent)), Courier(HOME), []
    letter = Letter(there.url, HEADERS, b"{}")
    sending = threading.Thread(target=lambda: came_back.append(courier(letter)))
    sending.start()
    there.wait_for(1)
    courier.close()
    sending.join(60)

    assert came_back == [None]
    assert courier(letter) is None
    assert len(there.got) == 1


def test_one_that_is_cut_in_the_moment_before_it_shakes_hands_is_only_cut(receiver) -> None:
    class Interrupted(ssl.SSLSocket):
        def do_handshake(self, block=False) -> None:
            courier.close()
            super().do_handshake(block)

    context = trusting()
    context.sslsocket_class = Interrupted
    courier = Courier(HOME, context)

    assert courier(Letter(receiver(tls=True).url, HEADERS, b"{}")) is None


def test_one_that_is_over_while_it_is_cut_is_over() -> None:
    class Fleeting(_Line):
        """Its socket is gone at the second look."""

        looks = 0

        @property
        def sock(self):
            self.looks += 1
            return here if self.looks == 1 else None

        @sock.setter
        def sock(self, _made) -> None:
            pass

    here, there = socket.socketpair()
    with here, there:
        Fleeting(urlsplit("http://127.0.0.1/"), ["127.0.0.1"], None, 60).cut()

        assert there.recv(1) == b""
