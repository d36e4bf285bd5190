import json
from pathlib import Path

import pytest

from web.edge.report import MalformedReport, parse_report

GOLDEN = (Path(__file__).parents[2] / "contract" / "report_sites.json").read_bytes()


def test_the_published_report_with_its_sites_is_read():
    sites = parse_report(GOLDEN).sites

    assert [(each.operation, each.call, each.place) for each in sites] == [
        ("simple_predict", "operation", "app/bridge.py:3"),
        ("echo", "route", "app/bridge.py:5"),
        ("warm_up", "attempt", "app/bridge.py:9"),
    ]


@pytest.mark.parametrize("change", [{"place": "x" * 301}, {"flag": ""}, {"place": "a\x1bb"}, {"call": 7}])
def test_a_site_that_cannot_be_kept_is_refused_by_name(change):
    document = json.loads(GOLDEN)
    document["sites"][1] |= change

    with pytest.raises(MalformedReport, match=r"sites\.1"):
        parse_report(json.dumps(document).encode())
