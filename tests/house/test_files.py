"""Is each file small, introduced, and free of the machine it was written on?"""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("controlplane", "web", "sdk/src", "scripts")
LONGEST_FILE = 300
LONGEST_SCRIPT = 20
# Homes of people and of machines: their paths say where a file was written, and work nowhere else.
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:root|home|Users)/[\w.-]+")


def tracked() -> list[Path]:
    """What git knows, and what it would be offered next; build results and caches are neither."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in map(ROOT.joinpath, listed.splitlines()) if path.is_file()]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


SOURCES = [path for path in tracked() if path.suffix == ".py" and named(path).startswith(ROOMS)]
SCRIPTS = [path for path in tracked() if path.parent == ROOT / "scripts" and not path.suffix]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_source_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_source_file_says_first_which_question_it_answers(path: Path) -> None:
    source = path.read_text()

    assert not source.strip() or ast.get_docstring(ast.parse(source)), "begin with a one-line docstring"


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_a_script_is_short_and_tells_its_usage(path: Path) -> None:
    told = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout

    assert told.startswith(f"Usage: {named(path)}")
    assert len(path.read_text().splitlines()) <= LONGEST_SCRIPT


def test_every_target_of_the_makefile_is_a_script() -> None:
    called = set(re.findall(r"^\t@(scripts/\S+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert called == {"scripts/serve", "scripts/test", "scripts/demo", "scripts/check", "scripts/bench", "scripts/soak"}
    assert called <= {named(path) for path in SCRIPTS}


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{named(path)}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]

    assert found == []
