"""Does all that the documentation tells people to type exist? By the shell, the settings, the Makefile and the files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from controlplane.settings import PREFIX, Settings
from throwbar.__main__ import COMMANDS as SDK_COMMANDS
from web.cli import main as shell

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "sdk" / "README.md"])
FENCE = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)|(?:src|srcset)=\"(?!https?:)([^\"]+)\"")
SETTING = re.compile(r"\bTHROWBAR_[A-Z_]*[A-Z]\b")
OF_TESTS = {"THROWBAR_TEST_WITHOUT_POSTGRES", "THROWBAR_TEST_WITHOUT_BROWSER"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def typed(page: Path) -> Iterator[str]:
    """Each line of a block, and each span, that a reader could type."""
    text = page.read_text()
    yield from (line for block in FENCE.findall(text) for line in block.splitlines())
    yield from (span.replace("\n", " ") for span in SPAN.findall(FENCE.sub("", text)))


def commands(page: Path) -> Iterator[list[str]]:
    """The words after `throwbar` of each command of the server's shell."""
    for line in typed(page):
        begins = re.search(r"^(?:\$ |.*(?:&&|\|) )?(?:\S*/bin/)?throwbar ([a-z-][^|#&;]*)", line)
        if begins:
            yield shlex.split(begins[1].replace("'", ""))


def unknown_in(words: list[str]) -> str:
    """What the shell does not know of a command; empty when it knows all. Values of options are passed over."""
    command: click.Command = shell
    options = {"--help"}
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return word
            command = found
        elif word.startswith("--"):
            options |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
            if word.partition("=")[0] not in options:
                return word
    return ""


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_exists_with_its_options(page: Path) -> None:
    assert [(" ".join(words), unknown) for words in commands(page) if (unknown := unknown_in(words))] == []


def test_commands_are_found_and_judged() -> None:
    assert len([words for page in PAGES for words in commands(page)]) > 15
    assert unknown_in(["flag", "share", "a", "b", "5", "--url", "https://x"]) == ""
    assert unknown_in(["flag", "shear", "a"]) == "shear"
    assert unknown_in(["flag", "list", "--color"]) == "--color"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_of_the_sdk_exists(page: Path) -> None:
    told = {name for line in typed(page) for name in re.findall(r"python -m throwbar ([a-z-]+)", line)}

    assert told - SDK_COMMANDS.keys() == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_setting_exists(page: Path) -> None:
    sdk = {name for path in (ROOT / "sdk" / "src").rglob("*.py") for name in SETTING.findall(path.read_text())}
    server = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}

    assert set(SETTING.findall(page.read_text())) - server - sdk - OF_TESTS == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_target_script_and_module_exists(page: Path) -> None:
    text = " \n ".join(typed(page))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    modules = [ROOT.joinpath(*name.split(".")) for name in re.findall(r"python -m (bench(?:\.\w+)*)", text)]

    assert set(re.findall(r"(?<!install )\bmake ([a-z]+)", text)) - targets == set()
    assert [name for name in re.findall(r"\bscripts/[\w.-]+", text) if not (ROOT / name).exists()] == []
    assert [path for path in modules if not path.with_suffix(".py").exists() and not path.is_dir()] == []


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for path, anchor, picture in LINK.findall(FENCE.sub("", page.read_text())):
        target = (page.parent / (path or picture)).resolve() if path or picture else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path or picture}#{anchor}")

    assert broken == []
