"""Which browser libraries do the pages use, and how do they come into web/static/vendor?"""

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "web" / "static" / "vendor"


@dataclass(frozen=True, slots=True)
class Asset:
    """One npm package, and which of its files are served under which name."""

    package: str
    version: str
    license: str
    files: dict[str, str]


ASSETS = (
    # 2.x and not 4.x: the line whose behaviour is described everywhere, and that needs no build step.
    Asset("htmx.org", "2.0.11", "0BSD", {"dist/htmx.min.js": "htmx-{version}.min.js"}),
    Asset(
        "uplot",
        "1.6.32",
        "MIT",
        {
            "dist/uPlot.iife.min.js": "uPlot-{version}.iife.min.js",
            "dist/uPlot.min.css": "uPlot-{version}.min.css",
        },
    ),
)


def packed(asset: Asset, folder: Path) -> tarfile.TarFile:
    """The package's own archive, fetched by npm, which checks it against the registry's sum."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{asset.package}@{asset.version}"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return tarfile.open(folder / printed.split()[-1])


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    return member.read()


def sha384(content: bytes) -> str:
    """In the form that an integrity attribute takes."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def vendor(asset: Asset, folder: Path) -> dict[str, dict[str, str]]:
    """Write the asset's files; return their entries for SOURCES.json."""
    sources = {}
    with packed(asset, folder) as archive:
        for source, pattern in asset.files.items():
            name, content = pattern.format(version=asset.version), read(archive, source)
            (VENDOR / name).write_bytes(content)
            sources[name] = {
                "package": asset.package,
                "version": asset.version,
                "license": asset.license,
                "sha384": sha384(content),
            }
        licence = f"{asset.package}-{asset.version}.LICENSE"
        (VENDOR / licence).write_bytes(read(archive, "LICENSE"))
    return sources


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for old in VENDOR.iterdir():
        old.unlink()
    sources: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for asset in ASSETS:
            sources |= vendor(asset, Path(folder))
    (VENDOR / "SOURCES.json").write_text(json.dumps(sources, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
