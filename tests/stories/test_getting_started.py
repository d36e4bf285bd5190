"""Does the page that newcomers follow lead where it says? Its commands, its flag and its program, one after the other."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.infrastructure.server_process import ServerProcess
from web.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "getting-started.md").read_text()
COMMANDS = [line.removeprefix("$ ") for line in re.findall(r"^\$ throwbar .*$", PAGE, re.MULTILINE)]


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """What `throwbar …` prints, in the folder of the newcomer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THROWBAR_DATABASE_URL", f"sqlite:///{tmp_path / 'throwbar.db'}")
    (tmp_path / "flag.json").write_text(block("json"))

    def run(command: str) -> str:
        words = re.findall(r'"[^"]*"|\S+', command)[1:]
        done = CliRunner().invoke(main, [word.strip('"') for word in words])
        assert done.exit_code == 0, f"{command}: {done.output}"
        return done.output

    return run


def test_every_command_of_the_page_works_where_it_stands(tmp_path, typed):
    told = {}
    typed("throwbar db upgrade")  # as `make run` has done
    for command in COMMANDS:
        told[command] = typed(command)
        if "rollout start" in command:  # the page waits here until the second stage
            typed("throwbar rollout advance greetings")

    assert len(COMMANDS) >= 8
    assert "running" in told["throwbar rollout show greetings"]
    assert "ready" in told["throwbar audit list --flag greetings"]


@pytest.mark.slow
def test_the_service_of_the_page_greets_as_its_flag_says(tmp_path, typed):
    typed("throwbar db upgrade")
    typed("throwbar flag create --file flag.json")
    typed("throwbar flag share greetings greet 100")
    token = typed("throwbar token create my-service --kind sdk").strip()
    (tmp_path / "service.py").write_text(block("python").replace("serve(100_000)", "client.wait_ready(60); serve(100)"))
    url = f"sqlite:///{tmp_path / 'throwbar.db'}"

    with ServerProcess(tmp_path, url, "--port", "0", "--no-scheduler") as server:
        server.until_ready()
        settings = {
            "THROWBAR_URL": f"http://127.0.0.1:{server.port}",
            "THROWBAR_TOKEN": token,
            "THROWBAR_SERVICE": "my-service",
            "THROWBAR_BACKUP_FILE": "off",
        }
        greeted = subprocess.run(
            [sys.executable, "service.py"], cwd=tmp_path, env={**os.environ, **settings},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout.splitlines()  # fmt: skip

    assert len(greeted) == 100
    assert greeted[-1].startswith("Hello customer-")
    assert json.loads(block("json"))["candidate"] == "new"
