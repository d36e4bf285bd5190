import pytest

from controlplane.documents.flag import flag_document
from controlplane.domain.errors import InvalidInput
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, history
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter
from controlplane.usecases.snapshots import current_snapshot
from tests.builders import a_cause, a_flag_document

HERE = Place("production", "dspex-bridge")


@pytest.fixture(autouse=True)
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def set_echo(store, **document):
    return flags.set_operation(store, HERE, "echo", document, a_cause())


def echo(store):
    return flag_document(flags.get_flag(store, HERE))["operations"]["echo"]


def route(store):
    return current_snapshot(store, "production", Clockwork())["flags"]["dspex-bridge"]


def newest(store):
    return history.list_entries(store, "production", Filter(flag="dspex-bridge"), 1).items[0]


def test_a_breaker_is_forced_open_and_keeps_what_else_was_written(store):
    set_echo(store, breaker={"min_calls": 50})
    set_echo(store, breaker={"mode": "forced_open"})

    assert echo(store)["breaker"] == {"mode": "forced_open", "min_calls": 50}
    assert route(store)["operations"]["echo"]["breaker"] == {"mode": "forced_open", "min_calls": 50}
    entry = newest(store)
    assert entry.action == "operation:set"
    assert [(each.path, each.before, each.after) for each in entry.changes] == [
        ("operations.echo.breaker.mode", None, "forced_open")
    ]


def test_null_takes_one_setting_away_or_all_of_them(store):
    set_echo(store, breaker={"mode": "forced_open", "min_calls": 50}, retry={"attempts": 5})
    set_echo(store, breaker={"mode": None}, retry=None)

    assert echo(store) == {"percent": 0, "mode": "single", "breaker": {"min_calls": 50}}


def test_the_audit_speaks_of_percent_and_the_snapshot_of_buckets(store):
    set_echo(store, mode="shadow", shadow_percent=2.5)

    told = {each.path: each.after for each in newest(store).changes}
    assert told == {"operations.echo.mode": "shadow", "operations.echo.shadow_percent": 2.5}
    assert route(store)["operations"]["echo"]["shadow_share"] == 2_500


def test_an_operation_in_shadow_becomes_a_dual_write_only_without_its_sample(store):
    set_echo(store, mode="shadow", shadow_percent=5)

    with pytest.raises(InvalidInput, match=r"shadow_percent: .* half of a dual write"):
        set_echo(store, mode="dual_write")
    set_echo(store, mode="dual_write", shadow_percent=None)

    assert echo(store) == {"percent": 0, "mode": "dual_write"}


def test_a_switch_of_a_flag_reaches_services_only_while_it_is_off(store):
    assert "switches" not in route(store)

    flags.patch_flag(store, HERE, {"switches": {"shadow": False}}, a_cause())
    assert route(store)["switches"] == {"shadow": False}

    flags.patch_flag(store, HERE, {"switches": {"shadow": None}}, a_cause())
    assert "switches" not in route(store)


def test_a_version_that_is_brought_back_brings_its_routing_back(store):
    before = set_echo(store, mode="shadow", retry={"attempts": 1})
    flags.patch_flag(store, HERE, {"switches": {"retry": False}}, a_cause())
    set_echo(store, mode="single", retry=None)

    after = flags.revert_flag(store, HERE, before.version, a_cause())

    assert flag_document(after) == flag_document(before)
