"""Are the browser libraries exactly those that SOURCES.json names, each with its licence beside it?"""

import base64
import gzip
import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "web" / "static" / "vendor"
BUDGET = 250_000  # bytes of everything a page may load, compressed
SOURCES = json.loads((VENDOR / "SOURCES.json").read_text())


def sha384(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_every_asset_has_the_sum_that_was_recorded() -> None:
    assert {name: sha384(VENDOR / name) for name in SOURCES} == {
        name: source["sha384"] for name, source in SOURCES.items()
    }


def test_every_asset_says_its_version_in_its_name() -> None:
    assert [name for name, source in SOURCES.items() if source["version"] not in name] == []


def test_nothing_else_lies_there_but_the_licences() -> None:
    licences = {f"{source['package']}-{source['version']}.LICENSE" for source in SOURCES.values()}

    assert {path.name for path in VENDOR.iterdir()} == {*SOURCES, *licences, "SOURCES.json"}


def test_all_that_a_page_may_load_stays_small() -> None:
    assets = [path for path in VENDOR.parent.rglob("*") if path.suffix in {".js", ".css", ".svg"}]

    assert sum(len(gzip.compress(path.read_bytes())) for path in assets) <= BUDGET
