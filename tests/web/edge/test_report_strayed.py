import json
from pathlib import Path

import pytest

from controlplane.usecases.telemetry import arm_of
from web.edge.report import MalformedReport, parse_report

CONTRACT = Path(__file__).parents[2] / "contract"
GOLDEN = (CONTRACT / "report_strayed.json").read_bytes()


def strayed_keys(body: bytes) -> list[int | None]:
    return [arm_of(cell).strayed_keys for cell in json.loads(body)["cells"]]


def test_the_published_report_of_a_key_that_strayed_is_read_and_counted():
    report = parse_report(GOLDEN)

    told = {(each.assigned_by, each.side, each.start): each.strayed_keys for each in report.cells}
    assert told["rule", "baseline", 1_790_000_010] == 1
    assert told["share", "baseline", 1_790_000_010] == 0
    assert told["fallback", "baseline", 1_790_000_010] is None
    assert strayed_keys(GOLDEN) == list(told.values())


def test_a_report_of_an_older_sdk_says_that_nobody_looked():
    older = (CONTRACT / "report.json").read_bytes()

    assert [each.strayed_keys for each in parse_report(older).cells] == [None, None]
    assert strayed_keys(older) == [None, None]


@pytest.mark.parametrize("count", [-1, 3, "one"])
def test_more_keys_than_there_are_cannot_stray(count):
    document = json.loads(GOLDEN)
    document["cells"][0]["strayed_keys"] = count

    with pytest.raises(MalformedReport, match=r"cells\.0"):
        parse_report(json.dumps(document).encode())
