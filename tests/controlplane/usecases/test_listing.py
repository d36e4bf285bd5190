"""Is a list as true as the database at this moment, whoever changed what, and however little it reads?"""

import subprocess
import sys
from datetime import timedelta

import pytest

from controlplane.domain.flag import Side
from controlplane.domain.retention import Grain
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.reports import Place as Cell
from controlplane.usecases import environments, flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.charting import flag_charts, flag_totals
from controlplane.usecases.health import flag_health
from controlplane.usecases.listing import brief_flags, describe_flags
from tests.builders import NOW, a_cause, a_flag_document, an_arm

HERE = Place("production", "dspex-bridge")
ELSEWHERE = """
import sys
from controlplane.store import open_store
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from tests.builders import a_cause

with open_store(sys.argv[1]) as store:
    flags.patch_flag(store, Place("production", "dspex-bridge"), {"owner": "another-team"}, a_cause(expected=1))
    flags.disable_flag(store, Place("production", "dspex-bridge"), a_cause(reason="from elsewhere"))
"""


def listed(store: Store, environment: str = "production"):
    (only,) = describe_flags(store, environment, NOW)
    return only


def test_the_very_next_list_knows_what_this_process_changed(store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    assert listed(store)["owner"] == "ml-platform"

    flags.patch_flag(store, HERE, {"owner": "another-team"}, a_cause(expected=1))
    assert listed(store)["owner"] == "another-team"

    flags.patch_flag(store, HERE, {"owner": "ml-platform"}, a_cause(expected=2))
    assert (listed(store)["owner"], listed(store)["version"]) == ("ml-platform", 3)


def test_the_very_next_list_knows_what_another_process_changed(store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    before = listed(store)

    url = store.engine.url.render_as_string(hide_password=False)
    subprocess.run([sys.executable, "-c", ELSEWHERE, url], check=True)

    after = listed(store)
    assert (before["owner"], before["enabled"]) == ("ml-platform", True)
    assert (after["owner"], after["enabled"], after["version"]) == ("another-team", False, 3)
    assert (after["last_change"]["action"], after["last_change"]["reason"]) == ("flag:disable", "from elsewhere")
    assert describe_flag(store, HERE, NOW)["owner"] == "another-team"


def test_two_flags_of_the_same_words_live_each_for_itself(store):
    environments.create_environment(store, "staging", a_cause())
    for environment in ("production", "staging"):
        flags.create_flag(store, environment, a_flag_document(), a_cause())

    rollouts.roll_back(store, HERE, a_cause())

    assert listed(store)["rollout"]["rolled_back"]
    assert not listed(store, "staging")["rollout"]["rolled_back"]


def test_what_a_page_reads_of_thirty_days_is_what_the_health_of_the_flag_says(store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    fill(store)

    since = NOW - timedelta(days=30)
    whole = flag_health(store, HERE, NOW, Clockwork(), since=since)["operations"]
    drawn = flag_charts(store, HERE, NOW, Clockwork(), since)
    total = flag_totals(store, HERE, NOW, Clockwork(), since)["echo"]

    assert drawn["operations"] == {
        name: {part: each[part] for part in ("series", "course")} for name, each in whole.items()
    }
    for side in ("baseline", "candidate"):
        series = whole["echo"]["series"][side]
        assert total[side]["calls"] == sum(series["calls"]) == 500
        assert total[side]["p99_ms"] == pytest.approx([each for each in series["p99_ms"] if each][-1], abs=0.001)
    assert total["candidate"]["error_rate"] == pytest.approx(0.07)
    assert flag_totals(store, HERE, NOW, Clockwork(), since)["simple_predict"]["candidate"]["p99_ms"] is None


def test_a_list_of_very_many_says_the_same_as_one_with_everything(store):
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    rollouts.start(store, HERE, a_cause())

    brief, whole = brief_flags(store, "production", NOW)[0], listed(store)

    rollout = {name: each for name, each in whole["rollout"].items() if name != "warnings"}
    operations = {name: {"percent": each["percent"]} for name, each in whole["operations"].items()}
    assert brief == {**{name: whole[name] for name in brief}, "rollout": rollout, "operations": operations}


def test_charts_read_all_but_the_histograms_of_the_keys(store):
    fill(store)

    until = int(NOW.timestamp())
    with store.reading() as uow:
        seen, shown = (read(1, "dspex-bridge", 0, until, Grain.HOUR) for read in (uow.buckets.seen, uow.buckets.shown))

    counts = ("calls", "bad", "cancelled", "latency", "ratio", "errors", "shadow", "retries", "unknown")
    assert [place for place, _ in shown] == [place for place, _ in seen]
    assert all(
        getattr(a, name) == getattr(b, name) for (_, a), (_, b) in zip(seen, shown, strict=True) for name in counts
    )


def fill(store: Store) -> None:
    """Four packed hours, and ten seconds that have a row; a candidate that fails 7 % of the time."""
    now = int(NOW.timestamp())
    arms = {Side.BASELINE: an_arm(bad_keys=1), Side.CANDIDATE: an_arm(bad_keys=7, milliseconds=80.0)}

    def cell(start: int, side: Side):
        return Cell("dspex-bridge", start, "echo", 0, side, side.value, "share", 1_000), arms[side]

    with store.writing() as uow:
        uow.packs.add(1, Grain.HOUR, [cell(now - day * 86_400, side) for day in (1, 2, 9, 29) for side in Side])
        uow.buckets.add(1, dict(cell(now - 60, side) for side in Side))
        uow.commit()
