"""Where do tests get a real browser? An installed Chromium, else npm's package of one, else Debian's."""

import base64
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CACHE = Path(__file__).resolve().parents[2] / "var" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
# 147 is the newest that asks for no more than Node.js 20; the sum is the registry's for its archive.
PACKAGE = "@sparticuz/chromium@147.0.0"
PACKAGE_SHA512 = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ=="
UNPACK = (
    "const [, from, to] = process.argv, fs = require('fs');"
    "require('stream').pipeline(fs.createReadStream(from), require('zlib').createBrotliDecompress(),"
    " fs.createWriteStream(to), (error) => { if (error) throw error; });"
)
ARGUMENTS = (
    "--no-sandbox",  # as root there is none to be had, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumUnavailableError(RuntimeError):
    """No browser could be found or installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A program, and what its environment needs besides the caller's."""

    executable: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """CHROMIUM, if it is set; else the first way that works. Each failure is part of the message when none does."""
    if "CHROMIUM" in os.environ:
        return _wished(os.environ["CHROMIUM"])
    failures = []
    ways: tuple[Callable[[], Chromium], ...] = (_installed, _from_npm, _from_apt)
    with _alone():
        for way in ways:
            try:
                return way()
            except (ChromiumUnavailableError, OSError, subprocess.CalledProcessError) as error:
                failures.append(str(error))
    raise ChromiumUnavailableError(
        "NO BROWSER FOR THE TESTS: install chromium or point CHROMIUM at one. Tried: " + "; ".join(failures)
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Tests run side by side, and one of them fetches for all."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wished(program: str) -> Chromium:
    found = shutil.which(program)
    if found is None:
        raise ChromiumUnavailableError(f"NO BROWSER FOR THE TESTS: CHROMIUM={program} is not a program")
    return Chromium(Path(found))


def _installed() -> Chromium:
    for path in filter(None, map(shutil.which, NAMES)):
        return Chromium(Path(path))
    raise ChromiumUnavailableError("none is installed")


def _from_npm() -> Chromium:
    """Unpacked once into var/; its own libraries and fonts are used only where the system has none."""
    home = CACHE / PACKAGE.rpartition("@")[2]
    if not home.exists():
        _unpack_into(home)
    for environment in ({}, {"LD_LIBRARY_PATH": str(home / "lib")}):
        chromium = Chromium(home / "chromium", {**environment, **_fonts(home)})
        if _runs(chromium):
            return chromium
    raise ChromiumUnavailableError(f"{home / 'chromium'} does not run here")


def _unpack_into(home: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise ChromiumUnavailableError("npm is not installed")
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        work = Path(name)
        with tarfile.open(_packed(work)) as archive:
            archive.extractall(work, filter="data")
        ready = work / "ready"
        ready.mkdir()
        for packed in (work / "package" / "bin").glob("*.br"):
            subprocess.run(["node", "-e", UNPACK, str(packed), str(ready / packed.stem)], check=True)
        for bundle in ready.glob("*.tar"):
            with tarfile.open(bundle) as archive:
                archive.extractall(ready, filter="data")
        (ready / "chromium").chmod(0o755)
        ready.rename(home)


def _packed(folder: Path) -> Path:
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != PACKAGE_SHA512:
        raise ChromiumUnavailableError(f"{PACKAGE} is not the archive we know")
    return archive


def _fonts(home: Path) -> dict[str, str]:
    """A machine without fontconfig has no fonts either, and text without fonts has no size to click on."""
    if Path("/etc/fonts/fonts.conf").exists():
        return {}
    settings = home / "fonts.conf"
    settings.write_text(f"<fontconfig><dir>{home / 'fonts'}</dir><cachedir>{home / 'cache'}</cachedir></fontconfig>")
    return {"FONTCONFIG_FILE": str(settings)}


def _runs(chromium: Chromium) -> bool:
    environment = {**os.environ, **chromium.environment}
    asked = subprocess.run([chromium.executable, "--version"], env=environment, capture_output=True, check=False)
    return asked.returncode == 0


def _from_apt() -> Chromium:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ChromiumUnavailableError("apt-get needs root")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium-headless-shell"]):
        subprocess.run(["apt-get", "-qq", *command], check=True, env=quiet, stdout=subprocess.DEVNULL)
    return _installed()


@contextlib.contextmanager
def launched(chromium: Chromium) -> Iterator[Browser]:
    """The browser, driven by Playwright, which brings a driver but downloads no browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.executable,
            args=list(ARGUMENTS),
            env={**os.environ, **chromium.environment},
        )
        try:
            yield browser
        finally:
            browser.close()
