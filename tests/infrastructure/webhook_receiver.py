"""Somebody's endpoint on loopback, over real HTTP or TLS: it keeps what it was sent and answers as it is told."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook

CERTIFICATES = Path(__file__).parents[1] / "sdk" / "certificates"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """`behave` takes the place of an answer: it is given the handler."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    behave: Callable[[BaseHTTPRequestHandler], None] | None = None


class Receiver:
    """`answers` are given in turn, the last one for ever."""

    def __init__(self, *answers: Answer, tls: bool = False) -> None:
        self.answers = list(answers) or [Answer()]
        self.got: list[Received] = []
        self.arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / "server.pem")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait_for(self, number: int) -> list[Received]:
        """Returns when so many have arrived; fails when nothing has for a long time."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= number, 60), f"{len(self.got)} of {number} arrived"
        return self.got

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def verified(received: Received, secret: str) -> dict:
    """What the official library makes of it. Raises when the signature is wrong, or older than five minutes."""
    found: dict = Webhook(secret).verify(received.body, received.headers)
    return found


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with receiver.arrived:
                answer = receiver.next_answer()
                receiver.got.append(Received(self.path, headers, body))
                receiver.arrived.notify_all()
            if answer.behave:
                answer.behave(self)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
