"""What may a browser keep? Scripts and styles, at addresses that name what all of them say: they are asked for once."""

from hashlib import blake2b
from pathlib import Path

from flask import Flask, Response, send_from_directory

FOLDER = Path(__file__).resolve().parent / "static"
ENDPOINT = "static"
KEPT = "public, max-age=31536000, immutable"  # a year: another content has another address


def serve_assets(app: Flask) -> None:
    """`url_for("static", filename=…)` names the version by itself. Scripts that import one another stay within it."""
    version = version_of(FOLDER)

    def asset(version_asked: str, filename: str) -> Response:
        """Any version is answered by ours: beside an older server a page needs some style rather than none."""
        response = send_from_directory(FOLDER, filename)
        response.headers["Cache-Control"] = KEPT if version_asked == version else "no-cache"
        return response

    def with_version(endpoint: str, values: dict[str, str]) -> None:
        if endpoint == ENDPOINT:
            values.setdefault("version_asked", version)

    app.add_url_rule("/static/<version_asked>/<path:filename>", ENDPOINT, asset)
    app.url_defaults(with_version)


def version_of(folder: Path) -> str:
    """Twelve hexadecimal digits of what the files are called and what they say."""
    digest = blake2b(digest_size=6)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
