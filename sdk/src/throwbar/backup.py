"""What did the control plane say last, before this process lived? One file, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT = 32 << 20


def default_path(url: str, token: str) -> Path:
    """One file per control plane and environment, in the user's cache directory. Raises OSError without a home.

    The name is a hash, so that it gives no token away.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which a host should not pay for at import

    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise OSError(str(error)) from None
    return cache / "throwbar" / f"{hashlib.sha256(f'{url} {token}'.encode()).hexdigest()[:32]}.json"


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
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb", opener=_private) as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
