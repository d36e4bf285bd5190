"""What the recipes have in common: a control plane on loopback, the program that is started, and patience with an end."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from throwbar.testing import ControlPlane

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0


class LoopbackControlPlane(ControlPlane):
    """The one in memory, behind HTTP. Its flag `orders` has the operation `read`."""

    def __init__(self):
        super().__init__(bucket_seconds=1)
        self.send_calls_to("old")

    def __enter__(self):
        plane = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, answer = plane(self.command, self.path, self.headers, body, 0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - the names are those of http.server

            def log_message(self, *arguments):
                """Not to the terminal of the tests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def send_calls_to(self, side):
        self.set("orders", baseline="old", candidate="new", read=100 if side == "new" else 0)

    @property
    def environment(self):
        """Of a program that is to talk to this control plane."""
        return os.environ | {
            "THROWBAR_URL": self.url,
            "THROWBAR_TOKEN": "token",
            "THROWBAR_SERVICE": "shop",
            "THROWBAR_BACKUP_FILE": "off",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def calls_by_instance(self):
        """What was reported so far: how many calls each instance made of each backend."""
        told = Counter()
        for report in list(self.reports):
            for cell in report["cells"]:
                told[report["instance"], cell["backend"]] += cell["calls"]
        return told


@contextmanager
def running(plane, *command, cwd=ROOT):
    """A program; what it says goes to a file, so that it never waits for a reader. It is ended, and its children."""
    log = Path(cwd) / "output.log"
    with log.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, *command], cwd=cwd, env=plane.environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield program, log
    finally:
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(10)


def lines_of(plane, *command):
    """What a program that ends by itself prints, a JSON document a line."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=plane.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def eventually(question, what):
    """The first answer that is true, asked again and again until it is, or the patience is over."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)
    return answer
