"""The secret key: given by the operator, or made once and kept in a file that only we may read."""

import os
import secrets
import tempfile
from pathlib import Path

from controlplane.settings import Settings, SettingsError

FILE = "secret_key"


def find_secret_key(settings: Settings) -> str:
    """Raises SettingsError with PostgreSQL and no key: several hosts would each make their own."""
    if settings.secret_key:
        return settings.secret_key
    if not settings.is_embedded:
        raise SettingsError("THROWBAR_SECRET_KEY: must be given with PostgreSQL, the same to every process")
    path = settings.folder / FILE
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Complete or not at all: processes that start together must all end up with the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        os.link(name, path)
    except FileExistsError:
        pass  # another process was faster: its key counts
    finally:
        Path(name).unlink()
