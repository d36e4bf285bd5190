"""The SDK as a wheel that pip installs from this server: no index need know it, and the version is the right one."""

import base64
import hashlib
import io
import zipfile
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, url_for

blueprint = Blueprint("wheel", __name__, url_prefix="/download")

SDK = "throwbar"
TAG = "py3-none-any"
LONG_AGO = (2020, 1, 1, 0, 0, 0)  # the same files make the same wheel


@blueprint.get("/<filename>")
def download(filename: str) -> Response:
    """For anybody: pip shows no token, and the SDK is free software."""
    found = sdk_wheel()
    if found is None or found[0] != filename:
        abort(404)
    return Response(found[1], mimetype="application/zip")


def address() -> str | None:
    """Where pip finds it, without the server's own address."""
    found = sdk_wheel()
    return url_for("ui.wheel.download", filename=found[0]) if found else None


@cache
def sdk_wheel() -> tuple[str, bytes] | None:
    """Its file name and its content; None where the SDK is not installed beside the server. Nothing is imported."""
    spec = find_spec(SDK)
    try:
        told = distribution(SDK)
    except PackageNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    files = _sources(Path(spec.submodule_search_locations[0])) | _about(told)
    return f"{SDK}-{told.version}-{TAG}.whl", _packed(files, f"{SDK}-{told.version}.dist-info/RECORD")


def _sources(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {f"{SDK}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in found}


def _about(told: Distribution) -> dict[str, bytes]:
    """What pip reads of a wheel; as https://packaging.python.org/en/latest/specifications/binary-distribution-format/."""
    wheel = f"Wheel-Version: 1.0\nGenerator: throwbar-server\nRoot-Is-Purelib: true\nTag: {TAG}\n"
    texts = {
        "METADATA": told.read_text("METADATA"),
        "WHEEL": wheel,
        "entry_points.txt": told.read_text("entry_points.txt"),
    }
    return {f"{SDK}-{told.version}.dist-info/{name}": text.encode() for name, text in texts.items() if text}


def _packed(files: dict[str, bytes], record: str) -> bytes:
    lines = [f"{name},sha256={_sum(content)},{len(content)}" for name, content in files.items()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, record: "\n".join([*lines, f"{record},,", ""]).encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _sum(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
