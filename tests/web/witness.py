"""Everything that a server says: each answer, each log line in both formats; and whether any of it holds a secret."""

import io
import json
import logging
import re
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from uvicorn import Server

from controlplane.settings import Settings
from web.cli import entry, logs
from web.cli.listening import address_of, listen
from web.cli.serve import config_of

PATIENCE = 60.0  # seconds; only a broken server takes them
CSRF = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
# Of our own secrets alone: in another one an underscore stands by chance, and what follows it may be a single letter.
PREFIX = re.compile(r"^(?:tb_[a-z]+|whsec)_")


@dataclass
class Witness:
    """`secrets` by what they are; `heard` are pairs of a place and what was said there."""

    secrets: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def learn(self, name: str, secret: str) -> str:
        assert len(secret) >= 12, f"too short to be looked for: {name}"
        while self.secrets.get(name, secret) != secret:
            name += ", another"
        self.secrets[name] = secret
        return secret

    def hear(self, place: str, said: str, *, but: str = "") -> None:
        """`but` is what may be said there: a secret that is shown this once, to whom it belongs."""
        self.heard.append((place, said.replace(but, "") if but else said))

    def leaks(self) -> list[str]:
        """Each place that holds a secret, as it is or as it is written in addresses, JSON and headers."""
        forms = {
            name: {
                *(secret, quote(secret), json.dumps(secret)[1:-1], b64encode(secret.encode()).decode()),
                PREFIX.sub("", secret),
            }
            for name, secret in self.secrets.items()
        }
        return sorted(
            {
                f"{name} in {place}"
                for place, said in self.heard
                for name, form in forms.items()
                if any(each in said for each in form)
            }
        )


class Visitor:
    """Somebody with a browser of their own, whose every answer is heard."""

    def __init__(self, address: str, witness: Witness, name: str) -> None:
        self.witness, self.name = witness, name
        self.client = httpx.Client(base_url=address, headers={"Accept": "text/html"}, timeout=PATIENCE)
        witness.clients.append(self.client)

    def ask(self, method: str, path: str, *, may: str = "", **rest) -> httpx.Response:
        answer = self.client.request(method, path, **rest)
        place = f"{method} {path} for {self.name}"
        self.witness.hear(place, answer.text, but=may)
        told = [f"{key}: {value}" for key, value in answer.headers.items() if key not in {"set-cookie", "location"}]
        self.witness.hear(f"the headers of {place}", "\n".join(told))
        return answer

    def session(self) -> str:
        return self.witness.learn(f"the session of {self.name}", self.client.cookies["throwbar_session"])

    def csrf(self) -> str:
        """The token of the forms of this session: on each of its pages, and nowhere else."""
        found = CSRF.search(self.client.get("/profile").text)
        assert found
        return self.witness.learn(f"the form token of {self.name}", found.group(1))

    def post(self, path: str, *, may: str = "", **fields: str) -> httpx.Response:
        token = self.csrf()
        return self.ask("POST", path, data={"csrf_token": token, **fields}, may=may or token)


@contextmanager
def listening(witness: Witness) -> Iterator[None]:
    """Every logger at its most talkative, in both formats."""
    out = {"text": io.StringIO(), "json": io.StringIO()}
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    handlers = []
    for style, stream in out.items():
        logs.configure_logging(style)
        handlers += root.handlers
        root.handlers[0].setStream(stream)
    root.handlers[:], root.level = handlers, logging.DEBUG
    levels = {"uvicorn": logging.DEBUG, "alembic": logging.DEBUG}
    levels |= dict.fromkeys(("httpx", "httpcore"), logging.CRITICAL)  # not the server's: those who ask it are told all
    for name, wanted in levels.items():
        logging.getLogger(name).setLevel(wanted)
    try:
        yield
    finally:
        root.handlers[:], root.level = kept, level
        for name in levels:
            logging.getLogger(name).setLevel(logging.NOTSET)
    for style, stream in out.items():
        assert stream.getvalue(), "nothing was logged: is anybody listening?"
        witness.hear(f"the log as {style}", stream.getvalue())


@contextmanager
def serving(settings: Settings, monkeypatch) -> Iterator[str]:
    """A whole server in this process, its logs left to who listens."""
    monkeypatch.setattr(entry, "configure_logging", lambda _style: None)
    listener = listen("127.0.0.1", 0)
    server = Server(config_of(settings, 1, schedule=True))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive(), "its threads would go on into the next test"
