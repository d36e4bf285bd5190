"""A new user: from the printed link to the first call that is seen, by what the pages say and nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from controlplane.clock import utc_now
from controlplane.domain.access import TokenKind
from controlplane.usecases import tokens
from controlplane.usecases.environments import create_environment
from tests.browser.people import watched
from tests.browser.services import until_accepted
from tests.browser.serving import Server, serving
from tests.builders import a_cause

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@contextmanager
def followed(page: Page, folder: Path) -> Iterator[str]:
    """What the snippet of the page prints, in a Python that has the SDK of the page and knows no other.

    The service lives to the end of the block: one that has ended is soon called silent.
    """
    shell, snippet = page.locator("#install").inner_text(), page.locator("#snippet").inner_text()
    wheel = re.search(r"pip install (\S+\.whl)", shell)
    assert wheel
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--target"]
    subprocess.run([*pip, str(folder / "sdk"), wheel[1]], check=True, capture_output=True, text=True)
    exported = dict(re.findall(r"export (\w+)=(\S+)", shell))
    assert exported.keys() == {"THROWBAR_URL", "THROWBAR_TOKEN", "THROWBAR_SERVICE"}
    until_accepted(exported["THROWBAR_URL"], exported["THROWBAR_TOKEN"])
    (folder / "first_call.py").write_text(patient(snippet))
    proof = "import throwbar, runpy; assert '/sdk/' in throwbar.__file__; runpy.run_path('first_call.py')"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("THROWBAR_")}
    ours = {"THROWBAR_BACKUP_FILE": "", "PYTHONPATH": str(folder / "sdk"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", proof],
        cwd=folder,
        env=clean | exported | ours,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout
        try:
            yield service.stdout.readline()
        finally:
            rest, complaints = service.communicate("\n", timeout=120)
    assert (service.returncode, rest) == (0, ""), complaints


def patient(snippet: str) -> str:
    """The same on a machine that is slow, and with an end that waits for us."""
    for short, long in (
        ("wait_ready(timeout=2)", "wait_ready(timeout=60)"),
        ("client.close()", "input(); client.close(60)"),
    ):
        assert short in snippet
        snippet = snippet.replace(short, long)
    return snippet


def test_from_the_printed_link_to_the_first_call_that_is_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    with serving(tmp_path / "fresh") as fresh, watched(browser) as page:
        assert fresh.greeting_link
        page.goto(fresh.greeting_link)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()

        page.get_by_role("link", name="Create a flag").click()
        page.get_by_label("Key as the code").fill("first-move")
        page.get_by_label("Baseline the backend").fill("old_pool")
        page.get_by_label("Candidate the backend").fill("new_pool")
        page.get_by_label("Operations one a line").fill("predict")
        page.get_by_role("button", name="Create flag").click()
        page.get_by_role("button", name="Connect one").click()

        expect(page.locator("#heard")).to_contain_text("Waiting for your first report")
        with followed(page, tmp_path) as said:
            assert said == "old_pool\n"
            expect(page.locator("#heard")).to_contain_text("The first report is here")
            expect(page.locator("#heard")).to_contain_text("my-service")
            page.get_by_role("link", name="See it on the page of first-move").click()
            expect(page.locator("#charts")).to_contain_text(re.compile(r"old_pool: 1 call"))
            expect(page.locator("#convergence")).to_contain_text("Landed")


def test_the_token_is_made_by_a_press_and_never_by_an_address(ann: Page, server: Server) -> None:
    create_environment(server.store, "staging", a_cause(utc_now()))

    def made() -> int:
        return sum(
            each.kind is TokenKind.SDK and each.environment == "staging" for each in tokens.list_tokens(server.store)
        )

    ann.goto(f"{server.url}/environments/staging/start")
    ann.reload()
    assert made() == 0
    ann.goto(f"{server.url}/environments/staging/flags")
    ann.locator("#found").get_by_role("button", name="Connect a service").click()

    expect(ann.locator("#install")).to_contain_text("THROWBAR_TOKEN=tb_sdk_")
    assert made() == 1


def test_without_a_flag_the_example_runs_as_well(ann: Page, server: Server, tmp_path: Path) -> None:
    create_environment(server.store, "empty", a_cause(utc_now()))
    ann.goto(f"{server.url}/environments/empty/start")
    ann.get_by_role("button", name="Create a token").click()

    with followed(ann, tmp_path) as said:
        assert said == "the backend you trust\n"
        expect(ann.locator("#heard")).to_contain_text("The first report is here")
