from datetime import timedelta

from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, history
from controlplane.usecases.history import Filter
from controlplane.usecases.retiring import retire
from controlplane.usecases.snapshots import current_snapshot
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.usecases.reporting import HERE


def snapshot(store):
    return current_snapshot(store, "production", Clockwork())


def test_an_archived_flag_answers_for_ninety_days_and_then_leaves_with_an_entry(store, lease):
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {"percent": 100}}), a_cause())
    flags.archive_flag(store, HERE, a_cause())
    answering = snapshot(store)

    assert retire(store, lease, NOW + timedelta(days=90, seconds=-1)) == 0
    assert snapshot(store) == answering
    assert answering["flags"]["dspex-bridge"]["operations"]["echo"]["share"] == 100_000

    assert retire(store, lease, NOW + timedelta(days=90)) == 1
    assert snapshot(store)["flags"] == {}
    assert snapshot(store)["version"] == answering["version"] + 1
    entry = history.list_entries(store, "production", Filter(flag="dspex-bridge"), 1).items[0]
    assert (entry.action, entry.actor.name) == ("flag:retire", "scheduler")
    assert retire(store, lease, NOW + timedelta(days=200)) == 0
    assert history.verify(store, "production").broken is None


def test_a_flag_in_use_is_never_retired(store, lease):
    flags.create_flag(store, "production", a_flag_document(), a_cause())

    assert retire(store, lease, NOW + timedelta(days=4000)) == 0
