"""Scripts and styles are kept for as long as they say the same, and come anew with the first page that needs others."""

import re
from pathlib import Path

import pytest

from web.assets import FOLDER, KEPT, version_of


def _got(client, address: str, **headers: str):
    """The answer, its file closed."""
    with client.get(address, headers=headers) as answer:
        answer.get_data()
        return answer


def _linked(client) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/sign-in").text)


def test_what_a_page_links_is_kept_by_the_browser(client) -> None:
    linked = _linked(client)
    assert any(each.endswith(".css") for each in linked)
    assert any(each.endswith(".js") for each in linked)

    for each in linked:
        answer = _got(client, each)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == KEPT


def test_scripts_that_import_one_another_stay_within_a_version(client) -> None:
    """A relative address in a script is read from where the script came from."""
    folder = _linked(client)[0].rpartition("/")[0]
    script = _got(client, f"{folder}/charts.js").text

    imported = re.findall(r'from "\./([^"]+)"', script)
    assert imported
    assert all(_got(client, f"{folder}/{each}").headers["Cache-Control"] == KEPT for each in imported)


def test_a_version_that_is_not_ours_is_answered_and_asked_for_again(client) -> None:
    answer = _got(client, "/static/000000000000/throwbar.css")

    assert answer.status_code == 200
    assert answer.data == (FOLDER / "throwbar.css").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"
    again = _got(client, "/static/000000000000/throwbar.css", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["nothing.js", "../app.py", "%2e%2e/app.py", "vendor", "/etc/passwd"])
def test_nothing_else_is_served(client, name) -> None:
    answer = _got(client, f"/static/any/{name}")

    assert answer.status_code in {404, 308}
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_version_is_that_of_names_and_contents(tmp_path: Path) -> None:
    def version(**files: str) -> str:
        folder = tmp_path / version_of(FOLDER) / str(len(list(tmp_path.rglob("*"))))
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        return version_of(folder)

    versions = [
        version(a="1", b="2"),
        version(a="1", b="3"),
        version(a="2", b="1"),
        version(a="1", c="2"),
        version(a="1"),
    ]

    assert len(set(versions)) == len(versions)
    assert version(b="2", a="1") == versions[0]
