"""How does a document become the snapshot in force: from the wire, from the backup file, under local overrides?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from throwbar.engine import Engine
from throwbar.errors import SnapshotError
from throwbar.kept import Kept
from throwbar.override import OverrideFile
from throwbar.settings import Settings
from throwbar.snapshot import NOTHING, compile_snapshot, parse, supersedes, under
from throwbar.trouble import Trouble


class Shelf:
    """The way of a document into force and onto the disk. For one thread."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._kept = Kept(settings)
        self.backup_trouble = self._kept.trouble
        self.override_trouble = Trouble("the override file")
        self._engine = engine
        self._override_file = OverrideFile(settings.override_file)

    @property
    def overrides(self) -> Mapping[str, str]:
        return self._override_file.overrides

    def restore(self) -> None:
        """Start from what an earlier process was told, unless something newer is known."""
        self.look_at_overrides()
        if self._engine.snapshot.ready:
            return
        try:
            body = self._kept.read()
            if body is not None:
                self._apply(parse(body))
        except (OSError, SnapshotError) as error:
            self.backup_trouble.failed(f"it was not read: {error}")

    def take(self, body: bytes) -> None:
        """Apply a polled document, unless it is late. Raises SnapshotError."""
        current = self._engine.snapshot
        document = parse(body, current.flags, _breathe)
        if not supersedes(document, current):
            raise SnapshotError(f"version {document['version']} is older than {current.version}, which is in force")
        if (document["source"], document["version"]) != (current.source, current.version):
            self._apply(document)
            self._kept.keep(body)

    def keep_again(self) -> None:
        """Try again to write what is in force, if that failed."""
        self._kept.keep_again()

    def look_at_overrides(self) -> None:
        """Obey the override file as it is now."""
        try:
            changed = self._override_file.changed()
        except (OSError, ValueError, RecursionError) as error:
            self.override_trouble.failed(f"it was not read, the overrides stay as they are: {error}")
            return
        self.override_trouble.over()
        if changed and self._engine.snapshot.ready:
            self._engine.publish(under(self._engine.snapshot, self.overrides))

    def _apply(self, document: Mapping[str, Any]) -> None:
        previous = self._engine.snapshot if self._engine.snapshot.ready else NOTHING
        self._engine.publish(compile_snapshot(document, previous, self.overrides, _breathe))


def _breathe() -> None:
    time.sleep(0)  # lets go of the interpreter, so that calls wait for a slice and not for all of it
