"""What is on the disk for a start without the control plane? The last good document of one kind."""

from __future__ import annotations

import os

from throwbar.backup import default_path, read_backup, write_backup
from throwbar.settings import Settings
from throwbar.trouble import Trouble


class Kept:
    """One backup file. `kind` "" is the snapshot's own; others lie beside it. For one thread."""

    def __init__(self, settings: Settings, kind: str = "") -> None:
        self.trouble = Trouble(f"the backup file{f' of the {kind}' if kind else ''}")
        self._settings = settings
        self._kind = kind
        self._unkept: bytes | None = None  # in force, and not on the disk for some trouble

    def read(self) -> bytes | None:
        """What an earlier process kept, None where there is nothing. Raises OSError."""
        path = self._path()
        return None if path is None else read_backup(path)

    def keep(self, body: bytes) -> None:
        """Replace it. What cannot be written is said once, and held for `keep_again`."""
        try:
            path = self._path()
            if path is not None:
                write_backup(path, body)
        except OSError as error:
            self._unkept = body
            self.trouble.failed(f"it was not written: {error}")
        else:
            self._unkept = None
            self.trouble.over()

    def keep_again(self) -> None:
        """Try again what failed: a rollback that is not on the disk could be undone by a restart."""
        if self._unkept is not None:
            self.keep(self._unkept)

    def _path(self) -> str | None:
        wanted = self._settings.backup_file
        if not isinstance(wanted, str):
            wanted = default_path(self._settings.url, self._settings.token) if wanted else ""
        if not wanted or not self._kind:
            return wanted or None
        beginning, ending = os.path.splitext(wanted)
        return f"{beginning}.{self._kind}{ending}"
