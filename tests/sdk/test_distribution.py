"""What the distribution says of itself, and how much room it takes."""

import tomllib
from pathlib import Path

from throwbar import pytest_plugin

SDK = Path(__file__).parents[2] / "sdk"
PROJECT = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]
MIB = 1 << 20


def test_pytest_finds_the_plugin():
    assert PROJECT["entry-points"]["pytest11"] == {"throwbar": pytest_plugin.__name__}


def test_row_9_what_it_needs_is_one_package_and_the_rest_is_extra():
    assert [need.partition(">")[0] for need in PROJECT["dependencies"]] == ["mmh3"]
    assert {"openfeature", "opentelemetry"} == PROJECT["optional-dependencies"].keys()


def test_what_is_installed_stays_below_a_mebibyte():
    package = SDK / "src" / "throwbar"
    assert sum(file.stat().st_size for file in package.rglob("*") if file.suffix in (".py", ".typed")) < MIB
