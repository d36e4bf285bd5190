"""The ways between the phases of data, and the tables of docs/rollouts.md held against them."""

from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.phases import WAYS, Backlog, Guard, Phase, after_brake, mode_in, obstacle, share_in
from controlplane.domain.routing import CallKind, Mode
from controlplane.domain.share import FULL

PAGE = Path(__file__).parents[3] / "docs" / "rollouts.md"
PHASES = tuple(Phase)
SERVING = frozenset({Phase.LIVE, Phase.RAMP_DOWN, Phase.COMPLETE})
WORDS = {None: "–", **{guard: guard.value.replace("_", " ") for guard in Guard}}


def table(corner: str) -> dict[str, dict[str, str]]:
    """Row → column → cell of the table of the page whose first cell is this."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in PAGE.read_text().splitlines()]
    head = next(number for number, row in enumerate(rows) if row[0] == corner)
    body = []
    for row in rows[head + 2 :]:
        if len(row) != len(rows[head]):
            break
        body.append(row)
    return {row[0]: dict(zip(rows[head][1:], row[1:], strict=True)) for row in body}


def test_the_page_says_which_way_leads_where() -> None:
    told = table("from, to")

    for before, after in product(PHASES, PHASES):
        expected = "stays" if before is after else WORDS[WAYS.get((before, after))]
        assert told[before][after] == expected, (before, after)


def test_the_page_says_what_each_phase_asks_of_reads_and_of_writes() -> None:
    told = table("phase")

    for phase in PHASES:
        share = share_in(phase)
        percent = "as the stage says" if share is None else f"{share // 1000} %"
        modes = {kind: mode_in(phase, kind).value for kind in CallKind}
        row = told[phase]
        assert (row["percent"], row["reads"], row["writes"]) == (percent, modes["read"], modes["write"]), phase


def test_forward_goes_one_phase_at_a_time_and_complete_is_the_end() -> None:
    forward = {(a, b) for a, b in WAYS if b.place > a.place}

    assert forward == set(pairwise(PHASES))
    assert not [way for way in WAYS if way[0] is Phase.COMPLETE]
    assert WAYS[Phase.RAMP_DOWN, Phase.COMPLETE] is Guard.CONFIRMED


def test_from_where_the_candidate_serves_every_way_back_asks_for_a_whole_baseline() -> None:
    for (before, after), guard in WAYS.items():
        if before in SERVING and after.place < before.place:
            assert guard is Guard.BASELINE_WHOLE
            assert mode_in(after, CallKind.WRITE) is Mode.DUAL_WRITE


@given(
    st.sampled_from(PHASES),
    st.sampled_from(PHASES),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
)
def test_a_way_is_open_exactly_when_its_guard_is_content(before, after, baseline, candidate, limit, confirmed) -> None:
    backlog = Backlog(baseline, candidate)

    why = obstacle(before, after, backlog, limit, confirmed=confirmed)

    content = {
        None: before is after,
        Guard.FREE: True,
        Guard.BACKLOG: baseline + candidate <= limit,
        Guard.CONFIRMED: baseline + candidate <= limit and confirmed,
        Guard.BASELINE_WHOLE: baseline == 0,
    }
    assert (why is None) == content[WAYS.get((before, after))]


@pytest.mark.parametrize(
    ("before", "after", "backlog", "told"),
    [
        (Phase.DUAL_WRITE, Phase.LIVE, Backlog(), "cannot jump from dual write to live: shadow comes first"),
        (Phase.LIVE, Phase.SHADOW, Backlog(2, 0), "2 writes are missing in the baseline's store; write them there"),
        (Phase.SHADOW, Phase.LIVE, Backlog(0, 1), "1 write is missing in the candidate's store, and 0 may; mend them"),
        (Phase.LIVE, Phase.OFF, Backlog(), "roll back or abort, which goes on writing both stores"),
        (Phase.COMPLETE, Phase.RAMP_DOWN, Backlog(), "make a new flag for the next migration"),
    ],
)
def test_a_closed_way_says_what_to_do(before, after, backlog, told) -> None:
    assert told in str(obstacle(before, after, backlog))


@given(st.sampled_from(PHASES))
def test_a_brake_ends_where_both_stores_are_written_or_where_nothing_was_begun(phase) -> None:
    after = after_brake(phase)

    assert after is phase or mode_in(after, CallKind.WRITE) is Mode.DUAL_WRITE
    assert after_brake(after) is after
    assert share_in(after) in {0, FULL}
