"""Two callables side by side: the arithmetic by itself, then the command on functions that differ by a lot."""

import json
import random
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar import contest_command
from throwbar.contest import Comparison, Interval, Measured, Shape, compare, measure, quantile_of

SMALL = ["--clients", "4", "--iterations", "50", "--warm-up", "2"]
MODULE = """
import asyncio, time
calls = []
def quick(*arguments): calls.append(("quick", arguments))
def slow(*arguments): calls.append(("slow", arguments)); time.sleep(0.002)
def failing(*arguments): raise RuntimeError
async def aquick(*arguments): await asyncio.sleep(0)
async def aslow(*arguments): await asyncio.sleep(0.002)
"""


@pytest.fixture
def backends(tmp_path, monkeypatch):
    (tmp_path / "backends_of_a_service.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "backends_of_a_service"
    sys.modules.pop("backends_of_a_service", None)


def bench(capsys, *arguments):
    code = contest_command.main([*arguments, *SMALL, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("prefix", ["", "a"])
def test_row_33_a_candidate_that_is_much_slower_is_a_regression(backends, capsys, prefix):
    code, told = bench(capsys, f"{backends}:{prefix}quick", f"{backends}:{prefix}slow")

    assert code == 1
    assert "p50" in told["regressions"]
    assert told["calls"] == 200
    assert all(
        figure["ratio"]["low"] <= figure["ratio"]["value"] <= figure["ratio"]["high"]
        for figure in told["figures"].values()
    )


def test_row_33_a_candidate_that_is_much_faster_is_none(backends, capsys):
    code, told = bench(capsys, f"{backends}:slow", f"{backends}:quick")

    assert (code, told["regressions"]) == (0, [])
    assert set(told["figures"]) == {"p50", "p95", "p99", "calls/s"}


def test_a_candidate_that_raises_is_a_regression_however_fast(backends, capsys):
    code, told = bench(capsys, f"{backends}:slow", f"{backends}:failing")

    assert (code, told["regressions"]) == (1, ["errors"])
    assert told["errors"] == {"baseline": 0, "candidate": 200}


def test_arguments_are_literals_or_texts_and_reach_both(backends, capsys):
    contest_command.main(
        [f"{backends}:quick", f"{backends}:slow", "--clients", "1", "--iterations", "1", "--args", "1", "[2]", "x"]
    )

    assert set(map(str, sys.modules[backends].calls)) == {str(("quick", (1, [2], "x"))), str(("slow", (1, [2], "x")))}
    assert "candidate/baseline" in capsys.readouterr().out


def test_all_clients_call_at_once_and_both_sides_by_turns():
    together, order = threading.Barrier(6, timeout=30), []

    def call(side):
        if not order:
            together.wait()
        order.append(side)

    measured = measure((lambda: call("old"), lambda: call("new")), (), Shape(6, 20, 0, seed=7))

    assert [(len(old), len(new)) for old, new in measured.seconds] == [(20, 20)] * 6
    assert (order.count("old"), order.count("new")) == (120, 120)


def test_the_order_within_a_pair_is_shuffled_and_the_same_for_the_same_seed():
    def order(seed):
        seen = []
        measure((lambda: seen.append(0), lambda: seen.append(1)), (), Shape(1, 50, 0, seed=seed))
        return seen

    assert order(1) == order(1)
    assert order(1) != order(2)
    pairs = {tuple(order(1)[at : at + 2]) for at in range(0, 100, 2)}
    assert pairs == {(0, 1), (1, 0)}


def measured_of(chance, slower):
    def client():
        return [chance.expovariate(1000) for _ in range(200)], [slower * chance.expovariate(1000) for _ in range(200)]

    return Measured([client() for _ in range(5)], (0, 0))


def test_equal_sides_are_rarely_called_a_regression_and_one_half_slower_nearly_always():
    chance = random.Random(3)

    false = sum(compare(measured_of(chance, 1.0))[0].regressed(0.05) for _ in range(20))
    found = sum(compare(measured_of(chance, 1.5))[0].regressed(0.05) for _ in range(20))

    assert false <= 1
    assert found >= 18


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=300), st.sampled_from([0.025, 0.5, 0.95, 0.975, 0.99]))
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values, quantile):
    ordered = sorted(values)

    found = quantile_of(ordered, quantile)

    assert sum(value <= found for value in ordered) * 1000 >= round(quantile * 1000) * len(ordered)
    assert sum(value < found for value in ordered) * 1000 < round(quantile * 1000) * len(ordered)


@pytest.mark.parametrize(
    ("low", "high", "more_is_better", "regressed"),
    [(1.06, 1.2, False, True), (1.04, 1.2, False, False), (0.5, 0.9, True, True), (0.5, 0.97, True, False)],
)
def test_only_what_is_beyond_the_tolerance_at_the_kinder_end_is_a_regression(low, high, more_is_better, regressed):
    any_ = Interval(1, 1, 1)

    figure = Comparison("p50", any_, any_, Interval(1.1, low, high), more_is_better=more_is_better)

    assert figure.regressed(0.05) is regressed


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-colon", "json:dumps"],
        ["json:dumps", "json:nothing"],
        ["nosuchmodule:x", "json:dumps"],
        ["json:__doc__", "json:dumps"],
        ["json:dumps", "json:dumps", "--clients", "0"],
        ["json:dumps", "json:dumps", "--warm-up", "-1"],
        ["json:dumps", "asyncio:sleep"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_refused_in_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        contest_command.main(arguments)

    assert refused.value.code == 2
