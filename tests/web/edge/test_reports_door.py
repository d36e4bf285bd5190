"""What happens to a report at the door?"""

import gzip
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.store import Store
from controlplane.store.instances import Instance
from controlplane.usecases.flags import create_flag
from controlplane.usecases.telemetry import Incoming, arm_of
from controlplane.usecases.tokens import list_tokens
from tests.builders import NOW, a_cause, a_cell, a_flag_document
from tests.web.edge.plane import FakeClock, Plane, serving

GOLDEN = (Path(__file__).parents[2] / "contract" / "report.json").read_bytes()
GOLDEN_ROUTING = (Path(__file__).parents[2] / "contract" / "report_routing.json").read_bytes()
LIMIT = 1 << 20


def a_document(*cells: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**json.loads(GOLDEN), "cells": list(cells or [a_cell()]), **changes}


def recorded(store: Store) -> list[dict[str, Any]]:
    with store.reading() as uow:
        return [report for row in uow.journal.oldest(1000) for report in json.loads(row.body)]


def send(plane: Plane, body: bytes, **headers: str) -> Any:
    return plane.request("POST", "/sdk/v1/reports", body, **headers)


def test_the_golden_report_is_accepted_and_kept_as_it_is(plane: Plane) -> None:
    answer = send(plane, GOLDEN)

    snapshot = plane.poll().json
    assert answer.status == 202
    assert answer.json == {"version": snapshot["version"], "source": snapshot["source"]}
    assert recorded(plane.store) == [json.loads(GOLDEN)]


def test_the_folder_can_count_what_the_door_let_in(plane: Plane) -> None:
    send(plane, GOLDEN)

    arms = [arm_of(cell) for cell in recorded(plane.store)[0]["cells"]]

    told = json.loads(GOLDEN)["cells"]
    assert [(arm.calls, arm.bad, arm.bad_keys) for arm in arms] == [
        (cell["calls"], cell["calls"] - cell["ok"], cell["bad_keys"]) for cell in told
    ]


def test_breakers_and_overrides_are_known_at_once_and_replaced_by_the_next_report(plane: Plane) -> None:
    told = json.loads(GOLDEN_ROUTING)

    send(plane, GOLDEN_ROUTING)
    (instance,) = instances(plane.store)
    assert list(instance.breakers) == told["breakers"]
    assert instance.overrides == told["overrides"]

    send(plane, json.dumps(a_document(sequence=19, breakers=[], overrides={})).encode())
    (instance,) = instances(plane.store)
    assert (instance.breakers, instance.overrides) == ((), {})


def instances(store: Store) -> list[Instance]:
    with store.reading() as uow:
        return uow.instances.all(1)


def test_a_report_sent_again_is_answered_alike_and_counted_once(plane: Plane) -> None:
    first, again = send(plane, GOLDEN), send(plane, GOLDEN)

    assert (again.status, again.json) == (first.status, first.json)
    assert len(recorded(plane.store)) == 1


def test_a_version_that_is_told_can_be_polled_at_once(store: Store, clock: FakeClock, sdk_token: str) -> None:
    with serving(store, clock, sdk_token, look_every=3600.0) as plane:
        before = plane.poll().json["version"]
        create_flag(store, "production", a_flag_document(), a_cause())

        told = plane.report(a_document()).json["version"]

        assert told == before + 1
        assert plane.poll().json["version"] == told


def test_an_empty_report_says_that_an_instance_is_there(plane: Plane) -> None:
    assert plane.report({**a_document(), "cells": []}).status == 202

    with plane.store.reading() as uow:
        instances = uow.instances.all(uow.environments.get("production").id)

    assert [each.instance for each in instances] == ["0d9f6f7c5c2b4e1aa3a1"]


def test_a_zipped_report_is_accepted(plane: Plane) -> None:
    assert send(plane, gzip.compress(GOLDEN), Content_Encoding="gzip").status == 202
    assert recorded(plane.store) == [json.loads(GOLDEN)]


def test_unknown_fields_are_passed_over_and_counted(plane: Plane) -> None:
    newer = a_document(a_cell(colour="blue"), mood="good", nested={"deep": [1]})

    answer = plane.report(newer)

    assert answer.status == 202
    assert plane.edge.counts["reports:unknown_fields"] == 3
    assert "colour" not in recorded(plane.store)[0]["cells"][0]


def test_an_unknown_category_of_error_counts_as_system(plane: Plane) -> None:
    plane.report(a_document(a_cell(calls=10, errors={"gremlins": 2, "system": 1})))

    assert recorded(plane.store)[0]["cells"][0]["errors"] == {"system": 3}


def test_a_malformed_report_is_refused_by_field_and_changes_nothing(plane: Plane) -> None:
    answer = plane.report(a_document(a_cell(), {**a_cell(), "calls": -1}))

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["errors"] == [{"field": "cells.1.calls", "message": "Expected `int` >= 0"}]
    assert recorded(plane.store) == []


@pytest.mark.parametrize("body", [b"plain", gzip.compress(GOLDEN)[:-5], gzip.compress(GOLDEN) + b"more"])
def test_gzip_that_is_none_is_refused(plane: Plane, body: bytes) -> None:
    assert send(plane, body, Content_Encoding="gzip").status == 400


def test_another_encoding_is_refused(plane: Plane) -> None:
    assert send(plane, GOLDEN, Content_Encoding="br").status == 415


def test_a_report_of_the_largest_size_fits(plane: Plane) -> None:
    padded = GOLDEN + b" " * (LIMIT - len(GOLDEN))

    assert send(plane, padded).status == 202


@pytest.mark.parametrize("size", [LIMIT + 1, 4 * LIMIT])
def test_one_byte_more_does_not_and_the_sender_hears_it(plane: Plane, size: int) -> None:
    answer = send(plane, b" " * size)

    assert answer.status == 413
    assert str(LIMIT) in answer.json["detail"]


def test_a_small_body_that_inflates_to_a_large_one_is_refused(plane: Plane) -> None:
    bomb = gzip.compress(b" " * (200 * LIMIT))

    assert len(bomb) < LIMIT
    assert send(plane, bomb, Content_Encoding="gzip").status == 413


def test_what_could_not_be_recorded_is_to_be_sent_again(store: Store, clock: FakeClock, sdk_token: str) -> None:
    def disk_full(batch: Sequence[Incoming]) -> dict[str, tuple[str, int]]:
        raise OSError(len(batch))

    with serving(store, clock, sdk_token, record=disk_full) as plane:
        answers = [send(plane, GOLDEN), send(plane, GOLDEN)]

    assert [(answer.status, answer.headers["retry-after"]) for answer in answers] == [(503, "1")] * 2


def test_the_use_of_a_token_and_the_counts_are_written_down_at_the_end(
    store: Store, clock: FakeClock, sdk_token: str
) -> None:
    clock.pass_by(timedelta(hours=1))

    with serving(store, clock, sdk_token) as plane:
        plane.report(a_document(mood="good"))
        send(plane, b"{")

    assert [token.last_used_at for token in list_tokens(store)] == [NOW + timedelta(hours=1)]
    with store.reading() as uow:
        assert uow.counters.starting_with("reports:") == {"reports:malformed": 1, "reports:unknown_fields": 1}
