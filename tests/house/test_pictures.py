"""Are the pictures of the README there, in the light and in the dark, and are they those that are taken of the demo?"""

import re
from pathlib import Path

import pytest

from tests.browser.pictures import LARGEST, LIGHTS, PICTURES, SCREENS

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def test_the_folder_has_what_the_program_takes_and_nothing_else():
    assert {path.name for path in SCREENS.iterdir()} == {each.file(light).name for each in PICTURES for light in LIGHTS}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_is_shown_in_the_readme_by_the_light_of_the_reader(picture):
    shown = set(re.findall(rf"docs/screens/{picture.name}-(\w+)\.png", README))

    assert shown == set(LIGHTS)


@pytest.mark.parametrize("path", sorted(SCREENS.glob("*.png")), ids=lambda path: path.name)
def test_each_is_a_picture_and_not_too_large(path):
    content = path.read_bytes()

    assert content.startswith(SIGNATURE)
    assert len(content) < LARGEST
