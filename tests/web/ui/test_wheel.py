"""The SDK as this server hands it out: is it a wheel that pip takes, and the SDK that is installed here?"""

import base64
import csv
import hashlib
import io
import zipfile
from importlib.metadata import version

import pytest
from flask import Flask

import throwbar
from tests.web.ui.visitor import Visitor
from web.ui import wheel

NAME = f"throwbar-{version('throwbar')}-py3-none-any.whl"
ADDRESS = f"/download/{NAME}"
START = "/environments/production/start"


@pytest.fixture
def archive(app: Flask) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(Visitor(app).get(ADDRESS).data))


def test_it_holds_the_sdk_and_what_pip_reads(archive: zipfile.ZipFile) -> None:
    info = NAME.removesuffix("-py3-none-any.whl") + ".dist-info"

    assert archive.read("throwbar/client.py").decode().startswith('"""')
    assert not [name for name in archive.namelist() if "__pycache__" in name]
    assert f"Version: {throwbar.__version__}\n" in archive.read(f"{info}/METADATA").decode()
    assert "Requires-Dist: mmh3" in archive.read(f"{info}/METADATA").decode()
    assert "Tag: py3-none-any" in archive.read(f"{info}/WHEEL").decode()
    assert "throwbar.pytest_plugin" in archive.read(f"{info}/entry_points.txt").decode()


def test_each_of_its_files_has_the_sum_that_its_record_tells(archive: zipfile.ZipFile) -> None:
    record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(archive.read(record).decode())))

    assert [name for name, _, _ in rows] == archive.namelist()
    for name, told, size in rows[:-1]:
        content = archive.read(name)
        assert told == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert int(size) == len(content)


def test_there_is_nothing_else_to_download(app: Flask) -> None:
    assert Visitor(app).get("/download/throwbar-0.0.0-py3-none-any.whl").status_code == 404


def test_the_first_hour_installs_it_from_here(admin: Visitor) -> None:
    assert f"pip install http://localhost{ADDRESS}" in admin.get(START).text


def test_without_the_sdk_beside_it_the_first_hour_says_where_to_take_it_from(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "sdk_wheel", lambda: None)

    assert "pip install ./sdk" in admin.get(START).text
    assert admin.get(ADDRESS).status_code == 404
