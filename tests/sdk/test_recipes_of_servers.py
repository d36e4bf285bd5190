"""gunicorn and Celery, as their users run them: workers forked from a process that has the client already."""

import json
import re
import subprocess
import sys
from collections import Counter
from http.client import HTTPConnection

import pytest

from tests.sdk.recipes import PATIENCE_SECONDS, ROOT, LoopbackControlPlane, eventually, running

pytestmark = pytest.mark.slow


@pytest.fixture
def plane():
    with LoopbackControlPlane() as plane:
        yield plane


class Answers:
    """Calls made through a server, and who served them."""

    def __init__(self, ask):
        self._ask = ask
        self.made = Counter()
        self.pids = {}

    def make(self):
        answer = self._ask()
        self.made[answer["instance"], answer["backend"]] += 1
        self.pids[answer["pid"]] = answer["instance"]
        return answer

    def until_each_of_two_processes_serves(self, backend):
        seen = set()

        def both():
            answer = self.make()
            seen.difference_update({answer["pid"]} if answer["backend"] != backend else ())
            seen.update({answer["pid"]} if answer["backend"] == backend else ())
            return len(seen) == 2

        eventually(both, f"two processes that serve {backend}")


def check(plane, answers):
    """A flip reaches both workers and comes back, and every call is reported by the one that made it."""
    answers.until_each_of_two_processes_serves("old")
    plane.send_calls_to("new")
    answers.until_each_of_two_processes_serves("new")
    plane.send_calls_to("old")
    answers.until_each_of_two_processes_serves("old")

    assert len(set(answers.pids.values())) == len(answers.pids) == 2
    eventually(lambda: plane.calls_by_instance() == answers.made, "the report of every call")


def test_workers_of_gunicorn_with_preload_report_as_themselves_and_obey_a_flip(plane, tmp_path):
    command = ["-m", "gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:0", "--chdir", str(ROOT)]
    command += ["--worker-tmp-dir", str(tmp_path), "tests.sdk.recipe_service:application"]

    with running(plane, *command, cwd=tmp_path) as (server, log):
        port = int(eventually(lambda: re.search(r"Listening at: http://127.0.0.1:(\d+)", log.read_text()), "a port")[1])

        def ask():
            assert server.poll() is None, log.read_text()
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
            connection.request("GET", "/")
            answer = json.load(connection.getresponse())
            connection.close()
            return answer

        check(plane, Answers(ask))


ASK = """
import json, sys
from tests.sdk.recipe_celery import serve

for line in sys.stdin:
    print(json.dumps(serve.delay().get(timeout=30, interval=0.01)), flush=True)
"""


def test_prefork_workers_of_celery_report_as_themselves_and_obey_a_flip(plane, tmp_path, monkeypatch):
    monkeypatch.setenv("RECIPE_FOLDER", str(tmp_path))
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    command = ["-m", "celery", "-A", "tests.sdk.recipe_celery", "worker", "--pool", "prefork", "--concurrency", "2"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]

    with running(plane, *command, cwd=tmp_path) as (worker, log):
        asking = subprocess.Popen(
            [sys.executable, "-c", ASK],
            cwd=ROOT,
            env=plane.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def ask():
            assert worker.poll() is None, log.read_text()
            asking.stdin.write("\n")
            asking.stdin.flush()
            line = asking.stdout.readline()
            assert line, log.read_text()
            return json.loads(line)

        try:
            check(plane, Answers(ask))
        finally:
            asking.stdin.close()
            asking.wait(20)
            asking.stdout.close()
