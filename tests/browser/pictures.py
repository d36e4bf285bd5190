"""Which pictures show Throwbar? Those of a demo as it runs: its pages, looked at in Chromium at the right moments."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.infrastructure.chromium import find_chromium, launched
from web.cli.demo.bridge import FLAG
from web.cli.demo.control import ControlPlane
from web.cli.demo.faults import Kind
from web.cli.demo.judgement import complaints
from web.cli.demo.run import Run
from web.cli.demo.scene import Scene, set_up
from web.cli.demo.story import Story
from web.cli.demo.tempo import FAULT_STAGE, WATCHED

SCREENS = Path(__file__).resolve().parents[2] / "docs" / "screens"
FLAGS = "/environments/production/flags"
LIGHTS = ("light", "dark")
# Slower than the watched demo, so that charts have something to show, and the fault long after the first picture.
POSED = replace(WATCHED, bake=210, fault_after=150, limit=1500)
RATE = 200.0  # calls a second
LARGEST = 250_000  # bytes, of each picture


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, which element of it is at the top, and how much is seen."""

    name: str
    path: str
    top: str = "body"
    height: int = 1000

    def file(self, light: str) -> Path:
        return SCREENS / f"{self.name}-{light}.png"


RAMPING = Picture("ramping", f"{FLAGS}/{FLAG}")
AFTERWARDS = (
    Picture("rolled-back", f"{FLAGS}/{FLAG}"),
    Picture("charts", f"{FLAGS}/{FLAG}", "#charts-simple_predict"),
    Picture("overview", FLAGS),
    Picture("audit", "/environments/production/audit"),
    Picture("plan", f"{FLAGS}/ticket-routing/edit", "#stages"),
)
PICTURES = (RAMPING, *AFTERWARDS)


def main() -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    with set_up(POSED, RATE, watched=True) as scene, launched(find_chromium()) as browser, told(scene) as run:
        eyes = open_eyes(browser, scene.server.sign_in_link, scene.server.url)
        wait_until(lambda: has_entered(scene.control, FAULT_STAGE), "half of the calls on the candidate")
        time.sleep(POSED.fault_after * 0.7)
        look(eyes, scene.server.url, RAMPING)
        wait_until(lambda: scene.control.flag(FLAG)["rollout"]["state"] == "rolled_back", "the rollback")
        time.sleep(20)  # so that charts show what came after it
        for picture in AFTERWARDS:
            look(eyes, scene.server.url, picture)
        sys.exit("\n".join(complaints(run())) or 0)


@contextmanager
def told(scene: Scene) -> Iterator[Callable[[], Run]]:
    """The demo's story beside us; what is yielded waits for its end."""
    runs: list[Run] = []
    story = Story(scene, POSED, Kind.ERRORS, print)
    teller = threading.Thread(target=lambda: runs.append(story.play()), daemon=True)
    teller.start()

    def ended() -> Run:
        teller.join()
        return runs[0]

    yield ended


def open_eyes(browser: Browser, link: str, url: str) -> dict[str, Page]:
    """A page in the light and one in the dark, of the same person: the link works once."""
    looks = {"viewport": {"width": 1280, "height": 1000}, "reduced_motion": "reduce"}
    light = browser.new_context(color_scheme="light", **looks)
    page = light.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.goto(url)
    dark = browser.new_context(color_scheme="dark", storage_state=light.storage_state(), **looks)
    return {"light": page, "dark": dark.new_page()}


def look(eyes: dict[str, Page], url: str, picture: Picture) -> None:
    for light, page in eyes.items():
        page.set_viewport_size({"width": 1280, "height": picture.height})
        page.goto(url + picture.path)
        page.wait_for_timeout(1_500)  # charts are drawn after the page
        page.evaluate("top => document.querySelector(top).scrollIntoView()", picture.top)
        page.screenshot(path=picture.file(light))
        size = picture.file(light).stat().st_size
        print(f"{picture.file(light).name}: {size:,} bytes")
        assert size < LARGEST, "too large for a README"


def has_entered(control: ControlPlane, percent: float) -> bool:
    operations = control.flag(FLAG)["operations"]
    return all(operation["percent"] == percent for operation in operations.values())


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + POSED.limit
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.5)


if __name__ == "__main__":
    main()
