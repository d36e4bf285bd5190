"""What did the control plane say last, before this process lived? One file, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT = 32 << 20


def default_path(url: str, token: str) -> Path:
    """One file per control plane and environment, in the user's cache directory. The name gives no token away."""
    import hashlib

    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    name = hashlib.sha256(f"{url}\n{token}".encode()).hexdigest()[:32]
    return Path(cache) / "throwbar" / f"{name}.json"


def read_backup(path: Path) -> bytes | None:
    """The last good snapshot, or None when there never was one. Raises OSError."""
    try:
        with path.open("rb") as file:
            body = file.read(LIMIT + 1)
    except FileNotFoundError:
        return None
    if len(body) > LIMIT:
        raise OSError(f"{path} is larger than {LIMIT} bytes")
    return body


def write_backup(path: Path, body: bytes) -> None:
    """Replace the file atomically: a reader sees the old or the new snapshot, never a part. Raises OSError."""
    import tempfile

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
