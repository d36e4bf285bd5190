"""Which other flags stand beside the bridge's, and what have people done with them? Each shows another state."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from controlplane.clock import utc_now
from web.cli.demo import helpdesk
from web.cli.demo.people import People
from web.cli.demo.process import end
from web.cli.demo.server import Server
from web.cli.demo.tempo import Tempo

SERVICE = "helpdesk"
PROCESSES = 2
DAY = 86_400

Act = tuple[str, str, str]  # who, the verb of the rollout, and why


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A flag as it is created, and what is done with it then."""

    flag: dict[str, Any]
    by: str
    acts: tuple[Act, ...] = ()


def _flag(key: str, backends: str, operations: str, stages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the document
    baseline, candidate = backends.split()
    return {
        "key": key,
        "baseline": baseline,
        "candidate": candidate,
        "enabled": True,
        "operations": {name: {"percent": 0} for name in operations.split()},
        # Functions of some microseconds: twice as long is only a colder cache.
        "guardrails": {"window_seconds": 60, "min_samples": 10, "compare": {"latency_ratio": 4}},
        "plan": {"stages": stages},
        **more,
    }


def _stage(percent: float, days: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {"percent": percent, "bake_seconds": days * DAY, **more}


NEIGHBOURS = (
    Neighbour(
        _flag(
            helpdesk.SEARCH,
            "scan inverted_index",
            "query suggest",
            [_stage(5, 7), _stage(25, 7), _stage(98, 30)],
            description="Tickets are found by an index instead of a scan",
            owner="helpdesk",
            tags=["search", "performance"],
        ),
        "ben",
        (
            ("ben", "start", "release 12.4"),
            ("ben", "advance", "5 % were lived with in the pilot: see the minutes of Monday"),
        ),
    ),
    Neighbour(
        _flag(
            helpdesk.INVOICES,
            "floats decimals",
            "total",
            [_stage(0, 7, mode="shadow", shadow_percent=100), _stage(1, 7, mode="single"), _stage(98, 30)],
            description="Invoices are added up in decimals; first in the shadow, to see where sums differ",
            owner="billing",
            tags=["money"],
        ),
        "ann",
        (("ann", "start", "the auditors ask for it"),),
    ),
    Neighbour(
        _flag(
            helpdesk.FINGERPRINTS,
            "sha1 blake2",
            "fingerprint",
            [_stage(10, 7), _stage(50, 7), _stage(98, 30)],
            description="Attachments are told apart by BLAKE2 instead of SHA-1",
            owner="platform",
            tags=["security"],
        ),
        "ann",
        (
            ("ann", "start", "SHA-1 has to go by the end of the year"),
            ("ben", "pause", "the archive's import still looks for SHA-1"),
        ),
    ),
    Neighbour(
        _flag(
            helpdesk.REPLIES,
            "string_template format_string",
            "render",
            [{"percent": 20, "bake_seconds": 15, "approval": True}, _stage(98, 30)],
            description="Replies are rendered by format strings",
            owner="helpdesk",
            tags=["templates"],
        ),
        "ben",
        (("ben", "start", "release 12.4"),),
    ),
    Neighbour(
        _flag(
            helpdesk.ROUTING,
            "keywords classifier",
            "topic",
            [_stage(1, 7), _stage(10, 7), _stage(50, 7, approval=True), _stage(98, 30)],
            description="Tickets find their team by the classifier instead of by keywords",
            owner="ml-platform",
            tags=["model"],
            enabled=False,
        ),
        "ann",
    ),
)


@contextmanager
def neighbours(server: Server, people: People, tempo: Tempo) -> Iterator[None]:
    """A helpdesk that runs, and its flags as people left them; its processes are gone afterwards."""
    with ExitStack() as stack:
        for _ in range(PROCESSES):
            process = _start(server, tempo)
            stack.callback(end, process)
        for neighbour in NEIGHBOURS:
            _introduce(neighbour, people)
        people.ann.freeze(_stocktaking())
        yield


def _introduce(neighbour: Neighbour, people: People) -> None:
    hands = {"ann": people.ann, "ben": people.ben}
    hands[neighbour.by].create(neighbour.flag)
    for who, verb, why in neighbour.acts:
        hands[who].roll(neighbour.flag["key"], verb, why)


def _stocktaking() -> dict[str, str]:
    """A freeze that is yet to come, whenever the demo is: one that is on would hold the bridge's rollout."""
    begin = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=19)
    ends = begin + timedelta(days=12)
    return {"name": "Stocktaking", "starts_at": begin.isoformat(), "ends_at": ends.isoformat()}


def _start(server: Server, tempo: Tempo) -> subprocess.Popen[bytes]:
    """Its stdin is its lifeline."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", helpdesk.__name__, "--poll", f"{tempo.poll:g}", "--report", f"{tempo.report:g}"],
        cwd=server.folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("THROWBAR_")},
            "THROWBAR_URL": server.url,
            "THROWBAR_TOKEN": server.sdk_token,
            "THROWBAR_SERVICE": SERVICE,
            "THROWBAR_BACKUP_FILE": "off",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the demo, which then ends it in order
    )
