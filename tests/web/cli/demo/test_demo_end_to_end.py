"""The demo as people start it: does it end as it says, and does it leave anything behind, however it ends?"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PAIRS = (("errors", "latency"), ("crash", "none"))
PATIENCE = 60.0  # seconds until a test gives up on something that will happen


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from web.cli import main; main()", "demo", *options]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


class Played(NamedTuple):
    """A demo that is over."""

    status: int
    told: dict[str, Any]
    timeline: str
    left: list[Path]


@pytest.fixture(scope="module")
def play(tmp_path_factory) -> Callable[[str], Played]:
    """Plays the demo with a fault, and its partner beside it: they wait for their clocks far more than they work."""
    over: dict[str, Played] = {}

    def played(fault: str) -> Played:
        if fault not in over:
            over.update(_side_by_side(next(pair for pair in PAIRS if fault in pair), tmp_path_factory))
        return over[fault]

    return played


def _side_by_side(faults: tuple[str, ...], folders) -> dict[str, Played]:
    homes = {fault: folders.mktemp(fault) for fault in faults}
    with ExitStack() as stack:
        running = {
            fault: stack.enter_context(demo(home, "--headless", "--json", "--fault", fault))
            for fault, home in homes.items()
        }
        said = {fault: process.communicate() for fault, process in running.items()}
    return {
        fault: Played(running[fault].returncode, json.loads(output), timeline, list(homes[fault].iterdir()))
        for fault, (output, timeline) in said.items()
    }


@pytest.mark.parametrize("fault", ["errors", "latency", "crash"])
def test_a_candidate_that_goes_bad_is_taken_back_by_itself(play, fault):
    status, told, timeline, left = play(fault)

    assert told["complaints"] == [], timeline
    assert (status, told["ok"]) == (0, True)
    assert told["state"] == "rolled_back"
    assert told["last_fifth_on_baseline"] == told["last_fifth"] > 0
    assert told["failed"]["throwbar"] == 0
    assert left == []


def test_a_sound_candidate_gets_to_the_end(play):
    status, told, timeline, _ = play("none")

    assert told["complaints"] == [], timeline
    assert status == 0
    assert told["state"] == "completed"
    assert told["shares_entered"] == [1, 10, 50, 98]
    assert sum(told["failed"].values()) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_after_the_demo_was_ended(tmp_path, how):
    with demo(tmp_path, "--headless") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("seconds")
        family = processes_with(f"TMPDIR={tmp_path}")

        process.send_signal(how)
        process.wait(PATIENCE)

    assert len(family) >= 14  # itself, the server, and two pools of workers
    deadline = time.monotonic() + PATIENCE
    while processes_with(f"TMPDIR={tmp_path}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_with(f"TMPDIR={tmp_path}") == []
    assert how is signal.SIGKILL or list(tmp_path.iterdir()) == []


def test_a_control_plane_that_does_not_start_is_said_in_its_own_words():
    environment = {**os.environ, "THROWBAR_TICK_SECONDS": "irrelevant: the demo sets its own"}
    told = subprocess.run(
        [sys.executable, "-c", BROKEN], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )

    assert told.returncode == 1
    assert "the control plane did not start" in told.stderr
    assert "THROWBAR_TICK_SECONDS" in told.stderr


BROKEN = """
from dataclasses import replace
from web.cli.demo import command, tempo
command.HEADLESS = replace(tempo.HEADLESS, tick=-1)
command.demo_command(["--headless"])
"""


def processes_with(setting: str) -> list[int]:
    """Living processes that were started with this in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if setting.encode() in environment:
            found.append(int(folder.name))
    return found
