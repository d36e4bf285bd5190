"""A client on a fake control plane, with backends that fail as they are told."""

from collections import Counter

import throwbar
from tests.sdk.fake_control_plane import Clock, FakeControlPlane, a_document, a_flag, a_share


class Service:
    """One flag with one operation, all of whose calls go to the candidate unless another share is served."""

    def __init__(self, share=100_000, **operation):
        self.clock = Clock()
        self.server = FakeControlPlane()
        self.client = throwbar.Client(
            "http://throwbar.test",
            "token",
            service="shop",
            poll_interval=3600,
            report_interval=3600,
            backup_file=False,
            transport=self.server,
            wall_clock=self.clock,
        )
        self.called = Counter()
        self.serve(share, **operation)
        assert self.client.wait_ready(60)
        assert self.client.flush(60)  # the first report is made: from here on there are those that a test asks for
        self.orders = self.client.migration("orders", baseline="old")

    def serve(self, share=100_000, switches=None, **operation):
        version = self.server.document["version"] + 1
        flag = a_flag(operations=a_share(share, **operation))
        if switches:
            flag["switches"] = switches
        self.server.document = a_document(version, flags={"orders": flag})
        if self.client.status().ready:
            assert self.client.flush(60)

    def operation(self, candidate, baseline=lambda: "old", **declared):
        """An operation whose functions count their calls."""
        operation = self.orders.operation("read", **declared)
        operation.baseline(self.counted("old", baseline))
        operation.candidate(self.counted("new", candidate))
        return operation

    def counted(self, side, function):
        def call(*args, **kwargs):
            self.called[side] += 1
            return function(*args, **kwargs)

        return call

    def cells(self):
        """Everything that was ever reported, by (side, assigned_by)."""
        self.clock.tick(30)
        assert self.client.flush(60)
        return {(cell["side"], cell["assigned_by"]): cell for cell in self.server.cells}

    def told(self, section):
        """What the reports said besides cells."""
        return [entry for report in self.server.reports for entry in report.get(section, [])]


def raising(*errors):
    """A function that raises these one after the other, then answers."""
    left = list(errors)

    def call(*args, **kwargs):
        if left:
            error = left.pop(0)
            if error is not None:
                raise error
        return "new"

    return call


def refused():
    return ConnectionRefusedError("refused")


def lost():
    return ConnectionResetError("hung up")
