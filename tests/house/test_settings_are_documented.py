"""Can every setting that the code reads be found in the documentation?"""

import re
from pathlib import Path

from controlplane.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\bTHROWBAR_[A-Z_]*[A-Z]\b")


def names_in(paths: list[Path]) -> set[str]:
    return {name for path in paths for name in NAME.findall(path.read_text())}


DOCUMENTED = names_in([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def test_every_setting_of_the_server_is_documented() -> None:
    read = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}

    assert read - DOCUMENTED == set()


def test_every_setting_of_the_sdk_is_documented() -> None:
    read = names_in(list((ROOT / "sdk" / "src").rglob("*.py")))

    assert read - DOCUMENTED == set()
