"""Does every test exist that the page on resilience names, and does it name those that carry a number?"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs" / "resilience.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) (\|.*\|)$", PAGE, flags=re.MULTILINE)}


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_that_the_page_names_exists(path: str) -> None:
    assert {name for where, name in NAMED if where == path} - names_of_tests(TESTS / path) == set()


def test_every_line_of_its_tables_names_a_test() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.endswith("| shown by |")]

    assert len(lines) > 40
    assert [line for line in lines if "::test_" not in line] == []


def test_a_test_with_a_number_stands_in_the_line_of_that_number() -> None:
    numbered = [
        (int(match[1]), name)
        for path in TESTS.rglob("test_*.py")
        for name in names_of_tests(path)
        if (match := re.match(r"test_row_(\d+)_", name))
    ]

    assert {number for number, _ in numbered} - ROWS.keys() == set()
    for number, row in ROWS.items():
        named = {name for _, name in NAMED if f"::{name}`" in row}
        own = {name for its_number, name in numbered if its_number == number}
        assert not own or named & own, f"row {number} names none of its own tests"
