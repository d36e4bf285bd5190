import pytest

from controlplane.documents.flag import flag_document, operation_document, parse_flag, parse_operation
from controlplane.domain.errors import InvalidInput
from controlplane.domain.routing import Breaker, BreakerMode, Mode, Retry, Switches
from tests.builders import a_flag_document


def refused(document):
    with pytest.raises(InvalidInput) as refusal:
        parse_operation(document)
    return {error.field: error.message for error in refusal.value.errors}


def test_people_write_percent_and_the_domain_counts_buckets():
    operation = parse_operation({"mode": "shadow", "shadow_percent": 0.5})

    assert (operation.mode, operation.shadow_share) == (Mode.SHADOW, 500)
    assert operation_document(operation) == {"percent": 0, "mode": "shadow", "shadow_percent": 0.5}


def test_what_was_not_written_is_not_answered():
    written = {"percent": 0, "mode": "single", "breaker": {"min_calls": 50}}

    assert operation_document(parse_operation(written)) == written
    assert operation_document(parse_operation({})) == {"percent": 0, "mode": "single"}


def test_null_means_not_written():
    nothing = parse_operation({"shadow_percent": None, "breaker": {"slow_seconds": None}, "retry": None})

    assert (nothing.shadow_share, nothing.breaker, nothing.retry) == (None, Breaker(), Retry())


def test_every_setting_has_its_place():
    breaker = {
        "mode": "metrics_only",
        "failure_rate": 0.4,
        "slow_rate": 0.7,
        "slow_seconds": 1.5,
        "min_calls": 10,
        "consecutive": 3,
        "window_seconds": 60,
        "open_seconds": 5,
    }
    retry = {"attempts": 4, "base_seconds": 0.1, "cap_seconds": 1}

    operation = parse_operation({"breaker": breaker, "retry": retry})

    assert operation.breaker == Breaker(BreakerMode.METRICS_ONLY, 0.4, 0.7, 1.5, 10, 3, 60, 5)
    assert operation.retry == Retry(4, 0.1, 1)
    assert operation_document(operation)["breaker"] == breaker
    assert operation_document(operation)["retry"] == retry


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"mode": "tripled"}, "mode"),
        ({"shadow_percent": 101}, "shadow_percent"),
        ({"shadow_percent": 0.0001}, "shadow_percent"),
        ({"breaker": {"mode": "open"}}, "breaker.mode"),
        ({"breaker": {"min_calls": 1.5}}, "breaker.min_calls"),
        ({"breaker": {"failure_rate": "half"}}, "breaker.failure_rate"),
        ({"breaker": {"treshold": 1}}, "breaker.treshold"),
        ({"breaker": []}, "breaker"),
        ({"retry": {"attempts": True}}, "retry.attempts"),
        ({"retry": {"jitter": 1}}, "retry.jitter"),
    ],
)
def test_a_mistake_is_told_by_its_field(document, field):
    assert refused(document).keys() == {field}


def test_switches_are_all_on_until_one_is_switched_off():
    flag = parse_flag(a_flag_document(switches={"retry": False}))

    assert flag.switches == Switches(retry=False)
    assert flag_document(flag)["switches"] == {
        "affinity": True,
        "breaker": True,
        "retry": False,
        "fallback": True,
        "shadow": True,
    }
    assert parse_flag(a_flag_document()).switches == Switches()
