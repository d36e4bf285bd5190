"""Are the examples on the page of the protocol those that both sides are tested with?"""

import json
import re
from pathlib import Path

import pytest

CONTRACT = Path(__file__).parent
PAGE = (CONTRACT.parents[1] / "docs" / "protocol.md").read_text()
BLOCKS = [json.loads(each) for each in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("name", ["flag_set.json", "features.json", "metrics.json", "ofrep.json"])
def test_an_example_of_the_page_is_the_golden_file_it_names(name: str) -> None:
    assert f"`tests/contract/{name}`" in PAGE
    assert json.loads((CONTRACT / name).read_text()) in BLOCKS
