"""What happens to a report at the door: read, checked, made durable, answered."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from controlplane.usecases.telemetry import Incoming
from web.edge.body import read_body
from web.edge.commits import GroupCommit, NotDurable
from web.edge.http import Answer, Problem, Receive, json_answer, problem
from web.edge.report import MalformedReport, Report, count_unknown_fields, parse_report

CatchUp = Callable[[str, str, int], Awaitable[None]]  # environment, source, version

_encoder = msgspec.json.Encoder()


class ReportDoor:
    """`counts` gathers what the operator should hear of; `catch_up` is told each version before the service is."""

    def __init__(self, commits: GroupCommit, counts: Counter[str], catch_up: CatchUp) -> None:
        self._commits = commits
        self._catch_up = catch_up
        self._counts = counts

    async def take(self, environment: str, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        """202 once durable. Raises Problem: 400 and 413 are final, everything else may be sent again."""
        try:
            incoming = self._incoming(environment, await read_body(headers, receive))
            source, version = await self._commits.add(incoming)
        except MalformedReport as error:
            self._counts["reports:malformed"] += 1
            raise problem(400, str(error), errors=[(error.field or "body", error.message)]) from None
        except NotDurable:
            self._counts["reports:not_durable"] += 1
            raise problem(503, "the report was not recorded: send it again", (b"retry-after", b"1")) from None
        except Problem as refused:
            self._counts[f"reports:refused:{refused.answer.status}"] += 1
            raise
        await self._catch_up(environment, source, version)
        return json_answer(202, {"version": version, "source": source})

    def _incoming(self, environment: str, body: bytes) -> Incoming:
        report = parse_report(body)
        canonical = _encoder.encode(report)
        unknown = count_unknown_fields(body, canonical)
        if unknown:
            self._counts["reports:unknown_fields"] += unknown
        return _headed(environment, report, canonical)


def _headed(environment: str, report: Report, canonical: bytes) -> Incoming:
    return Incoming(
        environment=environment,
        instance=report.instance,
        service=report.service,
        sdk=report.sdk,
        sequence=report.sequence,
        source=report.source,
        version=report.version,
        body=canonical,
        breakers=msgspec.to_builtins(report.breakers),
        overrides=report.overrides,
        sites=msgspec.to_builtins(report.sites),
    )
