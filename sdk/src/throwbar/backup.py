"""What did the control plane say last, before this process lived? One file, replaced whole or not at all.

Without pathlib: a host should not pay for that at import.
"""

from __future__ import annotations

import os
from contextlib import suppress

LIMIT = 32 << 20
StrPath = str | os.PathLike[str]


def default_path(url: str, token: str) -> str:
    """One file per control plane and environment, in the user's cache directory. Raises OSError without a home.

    The name is a hash, so that it gives no token away.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which a host should not pay for at import

    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if cache == os.path.join("~", ".cache"):
        raise OSError("this user has no home directory")
    return os.path.join(cache, "throwbar", f"{hashlib.sha256(f'{url} {token}'.encode()).hexdigest()[:32]}.json")


def read_backup(path: StrPath) -> bytes | None:
    """The last good snapshot, or None when there never was one. Raises OSError."""
    try:
        with open(path, "rb") as file:
            body = file.read(LIMIT + 1)
    except FileNotFoundError:
        return None
    if len(body) > LIMIT:
        raise OSError(f"{path} is larger than {LIMIT} bytes")
    return body


def write_backup(path: StrPath, body: bytes) -> None:
    """Replace the file atomically: a reader sees the old or the new snapshot, never a part. Raises OSError."""
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", mode=0o700, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb", opener=_private) as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
