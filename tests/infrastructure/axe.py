"""Which axe-core examines the pages? The one beside the browser tests, out of npm's package and as it was there."""

import hashlib
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe-core-4.14.1.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


def axe_source() -> str:
    """The script that a page is examined with."""
    content = SOURCE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, f"{SOURCE.name} is not the file we know"
    return content.decode()
