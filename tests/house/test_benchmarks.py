"""Do the benchmarks of the SDK run and tell? What they measure here says nothing: no test passes or fails on a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import sdk
from bench.scores import Score, as_markdown, as_text, beside, present, race

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.sdk", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_table_is_printed_with_our_own_figures_and_without_a_peer() -> None:
    done = bench("--short")

    assert done.returncode == 0, done.stderr
    assert [title for title, _ in sdk.TABLES.values() if title not in done.stdout] == []
    assert done.stdout.count("throwbar") > 10
    for goal in (
        "≤ 0.40 µs",
        "≤ 1.20 µs",
        "≥ 90%",
        "< 1 ms",
        "≤ 35 ms",
        "≤ 10 MiB",
        "≤ 1 MiB",
        "≤ 15 ms",
        "≤ 1024 bytes",
    ):
        assert goal in done.stdout
    assert "lost of 8,000 by 8 threads" in done.stdout


def test_a_table_that_does_not_exist_is_refused_by_name() -> None:
    done = bench("speed")

    assert done.returncode == 2
    assert "no such table: speed" in done.stderr


def test_only_full_measurements_are_written_down() -> None:
    assert bench("--write", "--short").returncode == 2
    assert bench("--write", "refresh").returncode == 2


def test_what_is_written_replaces_what_was_measured_before_and_nothing_else(tmp_path, monkeypatch) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{sdk.BEGIN}\nold figures\n{sdk.END}\nafter\n")
    monkeypatch.setattr(sdk, "README", page)

    sdk._write("new figures")

    assert page.read_text() == f"before\n{sdk.BEGIN}\n\nnew figures\n\n{sdk.END}\nafter\n"


def test_the_page_of_the_sdk_has_a_place_for_the_figures() -> None:
    page = (ROOT / "sdk" / "README.md").read_text()

    assert page.count(sdk.BEGIN) == page.count(sdk.END) == 1
    assert "Measured with Python" in page.partition(sdk.BEGIN)[2]


@pytest.mark.parametrize("show", [as_text, as_markdown])
def test_a_goal_that_is_missed_is_called_so(show) -> None:
    scores = [
        Score("a", "2 µs", "1", "≤ 1 µs", met=False),
        Score("b", "1 µs", "0.5", "≤ 1 µs", met=True),
        Score("c", "9 µs"),
    ]

    _, *_, missed, met, silent = show("title", scores).splitlines()

    assert ("MISSED" in missed, "MISSED" in met, "met" in met) == (True, False, True)
    assert "met" not in silent.lower()


def test_a_race_tells_how_many_times_as_much_the_others_take() -> None:
    def spin(times: int):
        def run() -> int:
            for _ in range(times):
                pass
            return 1

        return run

    best = race({"ours": spin(1_000), "theirs": spin(100_000)}, 3)

    ours, theirs = beside(best, "ours")
    assert ours.ratio == "1"
    assert float(theirs.ratio) > 1


def test_a_peer_that_is_not_installed_has_no_row(capsys) -> None:
    def missing():
        raise ImportError("No module named 'peer'")

    assert present({"peer": missing, "ours": lambda: 1}) == {"ours": 1}
    assert "peer is not here" in capsys.readouterr().err
