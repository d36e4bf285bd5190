"""A service that reports both sides of every operation, bucket by bucket, and a scheduler that looks at each."""

from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import TickReport, tick
from tests.builders import NOW, a_cell, a_report

HERE = Place("production", "dspex-bridge")
CLOCKWORK = Clockwork()
BUCKET = timedelta(seconds=10)
SEAL = timedelta(seconds=20)


class Life:
    """Time goes on by buckets from NOW; each one is reported, and looked at when it is sealed."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self.store = store
        self.lease = lease
        self.at = NOW
        self.sequence = 0

    def live(self, buckets: int = 1, *, baseline: Any = None, **candidate: Any) -> list[TickReport]:
        """So many buckets; the candidate's cells, and the baseline's, may be as bad as said."""
        reports = []
        for _ in range(buckets):
            self.report(self.at, baseline=baseline, **candidate)
            self.at += BUCKET
            reports.append(self.look())
        return reports

    def report(self, at: datetime, *, baseline: Any = None, **candidate: Any) -> None:
        flag = flags.get_flag(self.store, HERE)
        self.report_for(flag.rollout.attempt, at, baseline=baseline, **candidate)

    def report_for(self, attempt: int, at: datetime, *, baseline: Any = None, **candidate: Any) -> None:
        """As a service reports that is still in another attempt."""
        flag = flags.get_flag(self.store, HERE)
        start = int(at.timestamp()) // 10 * 10
        cells = []
        for name, operation in flag.operations.items():
            common = {"operation": name, "attempt": attempt, "share": operation.share, "start": start}
            cells.append(a_cell(**common, side="baseline", backend="python_pool_v2", calls=400, **baseline or {}))
            cells.append(a_cell(**common, **candidate))
        self.sequence += 1
        record_reports(self.store, [a_report(*cells, sequence=self.sequence)], self.at)

    def look(self) -> TickReport:
        return tick(self.store, lambda: self.at + SEAL, CLOCKWORK, self.lease)
