"""What cannot be accepted is said in our words, not in those of the library that noticed."""

import pytest

from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.fields import parse
from controlplane.documents.plan import PlanDocument
from controlplane.domain.errors import InvalidInput

STAGE = {"percent": 10, "bake_seconds": 60}


@pytest.mark.parametrize(
    ("document", "body", "field", "message"),
    [
        (PlanDocument, {"stages": []}, "stages", "must have at least 1, has 0"),
        (PlanDocument, {"stages": [STAGE] * 101}, "stages", "must have at most 100, has 101"),
        (PlanDocument, {"stages": [{**STAGE, "bake_seconds": -1}]}, "stages.0.bake_seconds", "must be at least 0"),
        (
            PlanDocument,
            {"stages": [{**STAGE, "bake_seconds": 1e12}]},
            "stages.0.bake_seconds",
            "must be at most 31622400",
        ),
        (PlanDocument, {"stages": [{**STAGE, "min_samples": 1.5}]}, "stages.0.min_samples", "must be a whole number"),
        (PlanDocument, {"stages": [{**STAGE, "notes": "x" * 2001}]}, "stages.0.notes", "at most 2000 characters"),
        (BacktestDocument, {"guardrails": {}, "since": "yesterday"}, "since", "must be an instant"),
        (BacktestDocument, {"guardrails": {}, "attempt": 0}, "attempt", "must be at least 1"),
    ],
)
def test_a_bound_is_told_with_its_number(document, body, field, message):
    with pytest.raises(InvalidInput) as caught:
        parse(document, body)

    (error,) = caught.value.errors
    assert error.field == field
    assert message in error.message
