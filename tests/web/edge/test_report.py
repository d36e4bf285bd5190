"""Does nothing pass the door that would stop the folding?"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.arm import total
from controlplane.usecases.telemetry import arm_of
from tests.builders import a_cell
from web.edge.report import MalformedReport, count_unknown_fields, parse_report

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
ROUTING = ("retries", "fallbacks", "unknown", "shadow", "ratio")
FIELDS = st.sampled_from(sorted((*a_cell(), *ROUTING)))
GOLDEN = (Path(__file__).parents[2] / "contract" / "report_routing.json").read_bytes()


def a_body(*cells: dict[str, Any], **changes: Any) -> bytes:
    head = {"schema": 1, "instance": "i-1", "service": "s", "sdk": "x/1", "sequence": 1, "sent_at": 1.5}
    document = {**head, "source": "", "version": 0, "cells": list(cells), **changes}
    return json.dumps(document, separators=(",", ":")).encode()


CELL_FAULTS = [
    ("cells.0.calls", {"calls": -1}),
    ("cells.0.calls", {"calls": "1"}),
    ("cells.0.calls", {"calls": 1.5}),
    ("cells.0.calls", {"calls": True}),
    ("cells.0.calls", {"calls": 10**12}),
    ("cells.0.side", {"side": "middle"}),
    ("cells.0.assigned_by", {"assigned_by": "fate"}),
    ("cells.0.share", {"share": 100_001}),
    ("cells.0.flag", {"flag": ""}),
    ("cells.0.flag", {"flag": "x" * 101}),
    ("cells.0.operation", {"operation": "nul\0"}),
    ("cells.0.latency", {"latency": {"161": 1}}),
    ("cells.0.latency", {"latency": {"-81": 1}}),
    ("cells.0.latency", {"latency": {"1.5": 1}}),
    ("cells.0.latency", {"latency": {"5": -1}}),
    ("cells.0.errors", {"errors": {"timeout": -1}}),
    ("cells.0.errors", {"errors": {f"category-{number}": 0 for number in range(51)}}),
    ("cells.0", {"ok": 99}),  # calls do not add up
    ("cells.0", {"latency": {"5": 101}}),
    ("cells.0", {"keys": 101}),
    ("cells.0", {"bad_keys": 101}),
    ("cells.0", {"halves": {"fresh_keys": [60, 41], "bad_keys": [0, 0]}}),
    ("cells.0", {"halves": {"fresh_keys": [0, 0], "bad_keys": [1, 0]}}),
    ("cells.0.halves.bad_keys", {"halves": {"fresh_keys": [0, 0]}}),
    ("cells.0.halves.bad_keys", {"halves": {"fresh_keys": [0, 0], "bad_keys": [0]}}),
    ("cells.0", {"key_latency": {"5": 101}}),
    ("cells.0", {"key_rise": {"from": {}, "to": {"5": 101}}}),
    ("cells.0", {"key_rise": {"from": {"1": 2}, "to": {"5": 1}}}),
    ("cells.0.key_rise.to", {"key_rise": {"from": {}}}),
    ("cells.0.retries", {"retries": -1}),
    ("cells.0.unknown", {"unknown": 1.5}),
    ("cells.0", {"unknown": 101}),
    ("cells.0", {"fallbacks": 101}),
    ("cells.0.shadow.mismatch", {"shadow": {"mismatch": -1}}),
    ("cells.0.shadow", {"shadow": [1]}),
    ("cells.0.ratio", {"ratio": {"161": 1}}),
    ("cells.0.ratio", {"ratio": {"0.5": 1}}),
]

BREAKER = {"flag": "f", "operation": "o", "side": "candidate", "state": "open", "since": 1.5, "failure_rate": 0.5}
SO_FAR = {"attempt": 1, "start": 1, "baseline": {"keys": 9, "bad_keys": 0}, "candidate": {"keys": 9, "bad_keys": 9}}
SIDE_FAULTS = [
    (".keys", {"keys": -1, "bad_keys": 0}),
    (".keys", {"keys": 1_000_000_001, "bad_keys": 0}),
    (".bad_keys", {"keys": 1}),
    ("", {"keys": 1, "bad_keys": 2}),
    ("", {"keys": 2, "bad_keys": 1, "failed_keys": 2}),
]


def _so_far(**changes):
    return {"breakers": [{**BREAKER, "so_far": {**SO_FAR, **changes}}]}


SEEN = {"path": "$.a", "baseline": {"type": "str"}, "candidate": {"type": "missing"}}
MISMATCH = {"flag": "f", "operation": "o", "at": 1.5, "key": None, "paths": [SEEN]}
RECEIPT = {"flag": "f", "operation": "o", "side": "baseline", "at": 1.5, "key": "k", "idempotency_key": None}
TOLD_FAULTS = [
    ("breakers.0.side", {"breakers": [{**BREAKER, "side": "both"}]}),
    ("breakers.0.since", {"breakers": [{**BREAKER, "since": 1e12}]}),
    ("breakers.0.failure_rate", {"breakers": [{**BREAKER, "failure_rate": 2}]}),
    ("breakers", {"breakers": [BREAKER] * 1_001}),
    ("breakers.0.so_far.start", {"breakers": [{**BREAKER, "so_far": {**SO_FAR, "start": 1.5}}]}),
    ("breakers.0.so_far.attempt", {"breakers": [{**BREAKER, "so_far": {**SO_FAR, "attempt": -1}}]}),
    ("breakers.0.so_far.candidate", {"breakers": [{**BREAKER, "so_far": {**SO_FAR, "candidate": [1]}}]}),
    *((f"breakers.0.so_far.baseline{path}", _so_far(baseline=side)) for path, side in SIDE_FAULTS),
    ("mismatches.0.at", {"mismatches": [{**MISMATCH, "at": -1}]}),
    ("mismatches.0.paths", {"mismatches": [{**MISMATCH, "paths": [SEEN] * 21}]}),
    ("mismatches.0.paths.0.path", {"mismatches": [{**MISMATCH, "paths": [{"path": "x" * 4_097}]}]}),
    ("mismatches.0.paths.0.baseline.type", {"mismatches": [{**MISMATCH, "paths": [{**SEEN, "baseline": {}}]}]}),
    (
        "mismatches.0.paths.0.baseline.value",
        {"mismatches": [{**MISMATCH, "paths": [{**SEEN, "baseline": {"type": "list", "value": []}}]}]},
    ),
    ("mismatches", {"mismatches": [MISMATCH] * 501}),
    ("receipts.0.operation", {"receipts": [{**RECEIPT, "operation": ""}]}),
    ("receipts.0.idempotency_key", {"receipts": [{**RECEIPT, "idempotency_key": "x" * 201}]}),
    ("receipts", {"receipts": [RECEIPT] * 501}),
    ("overrides", {"overrides": {"f": "both"}}),
    ("divergences", {"divergences": {"f/o": -1}}),
    ("", {"divergences": {"no operation": 1}}),
    ("", {"diverged": {"no operation": {}}}),
    ("diverged.baseline_missing", {"diverged": {"f/o": {"baseline_missing": -1}}}),
]


HEAD_FAULTS = [
    ("schema", {"schema": 2}),
    ("instance", {"instance": ""}),
    ("instance", {"instance": None}),
    ("service", {"service": "s" * 201}),
    ("sequence", {"sequence": 0}),
    ("sequence", {"sequence": 1 << 54}),
    ("sent_at", {"sent_at": "now"}),
    ("source", {"source": "x" * 33}),
    ("version", {"version": -1}),
    ("cells", {"cells": {}}),
    ("cells", {"cells": [a_cell()] * 2_001}),
    ("dropped", {"dropped": []}),
]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        *((field, a_body({**a_cell(), **fault})) for field, fault in CELL_FAULTS),
        *((field, a_body(a_cell(), **fault)) for field, fault in (*HEAD_FAULTS, *TOLD_FAULTS)),
    ],
)
def test_a_fault_is_told_by_the_field_it_is_in(field: str, body: bytes) -> None:
    with pytest.raises(MalformedReport) as refused:
        parse_report(body)

    assert refused.value.field == field


@pytest.mark.parametrize("field", ["schema", "instance", "sequence", "cells"])
def test_a_missing_field_is_named(field: str) -> None:
    document = json.loads(a_body(a_cell()))
    del document[field]

    with pytest.raises(MalformedReport, match=f"{field}: is missing"):
        parse_report(json.dumps(document).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"x":' * 100_000, a_body() + b"x", a_body()[:-4]],
)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedReport):
        parse_report(body)


@given(st.binary(max_size=200))
def test_bytes_are_a_report_or_malformed_and_nothing_else(body: bytes) -> None:
    with pytest.raises(MalformedReport):
        parse_report(body)


@given(FIELDS, JSON)
def test_a_cell_with_any_value_anywhere_is_refused_or_can_be_folded(field: str, value: Any) -> None:
    body = a_body({**a_cell(), field: value})

    try:
        report = parse_report(body)
    except MalformedReport:
        return

    arm = total([arm_of(cell) for cell in json.loads(msgspec.json.encode(report))["cells"]])
    assert 0 <= arm.bad_keys <= arm.keys <= arm.calls
    assert arm.bad + arm.cancelled <= arm.calls


def test_what_was_read_is_written_as_it_was() -> None:
    body = a_body(a_cell(), a_cell(calls=5, errors={"timeout": 1, "cancelled": 1}, pending=1), dropped={"memory": 3})

    assert json.loads(msgspec.json.encode(parse_report(body))) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "strangers"),
    [
        (a_body(a_cell()), 0),
        (a_body(a_cell(a=1, b=2), a_cell(a=1), c=3), 4),
        (a_body(a_cell(key_rise={"from": {}, "to": {}, "sideways": {}})), 1),
        (b" " + a_body(a_cell(key_rise=None)), 0),
        (a_body(a_cell(retries=0, shadow={"pairs": 0}), receipts=[RECEIPT], mismatches=[MISMATCH]), 0),
        (a_body(a_cell(shadow={"pairs": 1, "noise": 1}), breakers=[{**BREAKER, "mood": 1}]), 2),
        (
            a_body(mismatches=[{**MISMATCH, "a": 1, "paths": [{**SEEN, "b": 1, "baseline": {"type": "str", "c": 1}}]}]),
            3,
        ),
    ],
)
def test_unknown_fields_are_counted_wherever_they_stand(body: bytes, strangers: int) -> None:
    canonical = msgspec.json.encode(parse_report(body))

    assert count_unknown_fields(body, canonical) == strangers


def test_what_a_router_tells_is_read_and_kept_as_it_is() -> None:
    report = parse_report(GOLDEN)

    assert json.loads(msgspec.json.encode(report)) == json.loads(GOLDEN)
    assert count_unknown_fields(GOLDEN, msgspec.json.encode(report)) == 0


def test_an_override_that_names_no_place_costs_no_report() -> None:
    given = {"dspex-bridge": "baseline", "line\nbreak": "candidate", "x" * 500: "baseline"}

    assert parse_report(a_body(overrides=given)).overrides == {"dspex-bridge": "baseline"}
    assert len(parse_report(a_body(overrides={f"f{n}": "baseline" for n in range(1_500)})).overrides) == 1_000


def test_a_call_that_a_breaker_refused_keeps_its_category() -> None:
    cell = parse_report(a_body(a_cell(errors={"breaker": 3, "unheard_of": 1}))).cells[0]

    assert cell.errors == {"breaker": 3, "system": 1}
