"""Which side does this machine insist on? Break-glass without the control plane.

A JSON file: {"flag": "baseline", "flag/operation": "candidate"}. The narrower line wins.
"""

from __future__ import annotations

import json
import os

LIMIT = 1 << 20
SIDES = ("baseline", "candidate")


class OverrideFile:
    """The local overrides, read again when the file changes. A file that cannot be read changes nothing."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self.overrides: dict[str, str] = {}

    def changed(self) -> bool:
        """Look again; True when `overrides` differ now. Raises OSError or ValueError when it cannot be read."""
        if not self._path:
            return False
        before = self.overrides
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self._stamp, self.overrides = None, {}
            return before != {}
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp == self._stamp:
            return False
        self.overrides = _read(self._path)
        self._stamp = stamp
        return before != self.overrides


def _read(path: str) -> dict[str, str]:
    with open(path, "rb") as file:
        document = json.loads(file.read(LIMIT))
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - the file is wrong, no argument is
    for name, side in document.items():
        if side not in SIDES:
            raise ValueError(f"{name!r} is {side!r}, neither baseline nor candidate")
    return document
