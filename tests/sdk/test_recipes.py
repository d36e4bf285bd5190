"""Threads, coroutines and child processes: each process reports its own calls under a name of its own, and obeys."""

import re
from collections import Counter

import pytest

from tests.sdk.recipes import ROOT, LoopbackControlPlane, lines_of

PROGRAM = "tests.sdk.recipe_programs"


@pytest.fixture
def plane():
    with LoopbackControlPlane() as plane:
        plane.send_calls_to("new")
        yield plane


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_all_threads_and_tasks_of_a_process_are_one_instance_and_no_call_is_lost(plane, way):
    answers = lines_of(plane, "-m", PROGRAM, way)

    assert [answer["backend"] for answer in answers] == ["new"] * 15
    (instance,) = {answer["instance"] for answer in answers}
    assert plane.calls_by_instance() == {(instance, "new"): 15}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_each_child_process_reports_its_own_calls_under_a_name_of_its_own(plane, method):
    answers = lines_of(plane, "-m", PROGRAM, method)

    made = Counter((answer["instance"], answer["backend"]) for answer in answers)
    assert sorted(made.values()) == [1, 5, 5, 5]
    assert len({answer["instance"] for answer in answers}) == len({answer["pid"] for answer in answers}) == 4
    assert plane.calls_by_instance() == made


def test_every_recipe_is_on_the_page_and_its_code_compiles():
    page = (ROOT / "docs" / "recipes.md").read_text()

    assert all(name in page for name in ("gunicorn --preload", "--pool prefork", "spawn", "## Threads", "## asyncio"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page, re.DOTALL)):
        compile(block, f"recipe {number}", "exec")
