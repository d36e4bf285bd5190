"""Do the lock files cover what the two distributions ask for, and nothing but what an install may take?"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)")
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    matches = filter(None, map(PIN.match, (ROOT / lock).read_text().splitlines()))
    return {canonicalize_name(match["name"]): match["version"] for match in matches}


def asked_for(lock: str) -> list[Requirement]:
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sdk = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]
    texts = server["dependencies"] + sdk["dependencies"]
    if lock == "requirements-dev.lock":
        texts += server["optional-dependencies"]["dev"]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_to_a_version_that_it_allows(lock: str) -> None:
    locked = pins(lock)

    wrong = [
        str(asked)
        for asked in asked_for(lock)
        if not asked.specifier.contains(locked.get(canonicalize_name(asked.name), "0"), prereleases=True)
    ]

    assert wrong == [], "run scripts/lock"


def test_tests_run_with_the_versions_that_the_server_runs_with() -> None:
    runtime, dev = (pins(lock) for lock in LOCKS)

    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_a_sum_and_no_line_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text()

    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)

    assert [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "--index" not in text
