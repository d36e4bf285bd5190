"""Where in the code of this process are operations registered? Noted once each, when they are; never by a call."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

SITES = 500
AGAIN_SECONDS = 3600.0  # a control plane may have lost what it was told
LONGEST = 300
_OURS = __name__.partition(".")[0]

Site = tuple[str, str, str, str, int, tuple[str, ...]]  # flag, operation, method, file, line, possible modes


class Sites:
    """Written where operations are registered, taken by the reporting thread. Bounded: later ones are left out."""

    def __init__(self) -> None:
        self._sites: dict[tuple[str, str, str, int], Site] = {}
        self._lock = threading.Lock()
        self._told: tuple[str, int] | None = None
        self._told_at = 0.0

    def renew(self) -> None:
        """A new process has to tell it itself."""
        self._lock = threading.Lock()
        self._told = None

    def note(self, flag: str, operation: str, modes: Iterable[str] = ()) -> None:
        """Whoever called into this package registers an operation there, which may be in these modes. Never raises."""
        try:
            method, file, line = _outside()
        except ValueError:  # nobody is outside, as under a debugger that hides frames
            return
        with self._lock:
            place = (flag, operation, file, line)
            is_news = place not in self._sites
            if len(self._sites) < SITES if is_news else modes:
                self._sites[place] = (flag, operation, method, file, line, tuple(sorted(modes)))

    def take(self, source: str, now: float) -> list[dict[str, Any]]:
        """All of them, when there are more than were told, when another source asks, and every hour."""
        with self._lock:
            sites = list(self._sites.values())
        news = self._told != (source, len(sites)) or not 0 <= now - self._told_at < AGAIN_SECONDS
        if not sites or not news:
            return []
        self._told, self._told_at = (source, len(sites)), now
        return [_document(each) for each in sites]


def _outside() -> tuple[str, str, int]:
    """The method of this package that was called from outside, and the file and line that called it."""
    frame = sys._getframe(2)  # noqa: SLF001 - `inspect.stack` reads source files
    method = ""
    while frame.f_globals.get("__name__", "").partition(".")[0] == _OURS:
        method = frame.f_code.co_name
        if frame.f_back is None:
            raise ValueError("no caller")
        frame = frame.f_back
    return method, frame.f_code.co_filename, frame.f_lineno


def _document(site: Site) -> dict[str, Any]:
    flag, operation, method, file, line, modes = site
    place = f"{short(file)}:{line}"[-LONGEST:]
    told = {"flag": flag, "operation": operation, "call": method or "call", "place": place}
    return told | ({"modes": list(modes)} if modes else {})


def short(file: str) -> str:
    """The file as an import would find it; without the folders above, which are nobody's business."""
    plain = file.replace("\\", "/")
    roots = sorted({each.replace("\\", "/").rstrip("/") for each in sys.path if each}, key=len, reverse=True)
    root = next((each for each in roots if plain.startswith(f"{each}/")), None)
    told = plain[len(root) + 1 :] if root else "/".join(plain.split("/")[-2:])
    return "".join(each if each.isprintable() else "?" for each in told)
