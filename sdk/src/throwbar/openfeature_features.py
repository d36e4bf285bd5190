"""How do features come into force: from the wire, from the backup file, and never backwards?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from throwbar.clock import monotonic
from throwbar.errors import SnapshotError
from throwbar.openfeature_flag_set import FlagSet, read_flag_set
from throwbar.trouble import Trouble

if TYPE_CHECKING:
    from throwbar.engine import Get
    from throwbar.kept import Kept
    from throwbar.snapshot import Snapshot

PATH = "/flagd/v0/flags.json"
LONGEST_PAUSE_SECONDS = 30.0
_MISSING = 404  # a control plane of before there were features
_UNAUTHORISED = (401, 403)


class Features:
    """The flag set of one environment, as new as the snapshot. Calls read `in_force`; the rest is for one thread."""

    def __init__(self, kept: Kept, clock: Callable[[], float] = monotonic) -> None:
        self.in_force: FlagSet | None = None
        self.trouble = Trouble("polling the features")
        self._kept = kept
        self._clock = clock
        self._etag = ""
        self._nothing_at: tuple[str, int] | None = None  # the snapshot at which there were no features at all
        self._behind = 0
        self._due = 0.0

    @property
    def known(self) -> Mapping[str, object]:
        """Flag key → how it is written."""
        return {} if self.in_force is None else self.in_force.features

    def restore(self) -> None:
        """Start from what an earlier process was told, unless something is known."""
        if self.in_force is not None:
            return
        try:
            body = self._kept.read()
            self.in_force = None if body is None else read_flag_set(body)
        except (OSError, SnapshotError) as error:
            self._kept.trouble.failed(f"it was not read: {error}")

    def turn(self, get: Get, snapshot: Snapshot) -> None:
        """Ask for what the snapshot promises, if it is not here."""
        self._kept.keep_again()
        if not snapshot.ready or self._reaches(snapshot) or self._clock() < self._due:
            return
        try:
            status, headers, body = get(PATH, {"If-None-Match": self._etag} if self._etag else {})
        except Exception as error:  # noqa: BLE001 - a transport may raise anything; it means: no answer
            self._failed(f"no answer ({type(error).__name__}: {error})")
            return
        if status == 200:
            self._take(body, headers.get("etag", ""), snapshot)
        elif status == 304 and self._etag:
            self._answered(snapshot)
        elif status == _MISSING:
            self._nothing_at = (snapshot.source, snapshot.version)
            self.trouble.over()
        else:
            self._failed(f"answered with status {status}", unauthorised=status in _UNAUTHORISED)

    def _take(self, body: bytes, etag: str, snapshot: Snapshot) -> None:
        try:
            flag_set = read_flag_set(body)
        except SnapshotError as error:
            self._failed(f"the features were not applied: {error}")
            return
        known = self.in_force
        if known is not None and not flag_set.supersedes(known):
            self._failed(f"version {flag_set.version} is older than {known.version}, which is in force")
            return
        self.in_force, self._etag = flag_set, etag
        if known is None or (known.source, known.version) != (flag_set.source, flag_set.version):
            self._kept.keep(body)
        self._answered(snapshot)

    def _answered(self, snapshot: Snapshot) -> None:
        """A replica that has not heard of the snapshot yet is asked again, at growing distances."""
        self.trouble.over()
        self._behind = 0 if self._reaches(snapshot) else self._behind + 1
        self._rest(self._behind)

    def _reaches(self, snapshot: Snapshot) -> bool:
        """Whether there is nothing to ask for."""
        known = self.in_force
        if known is not None and known.source == snapshot.source and known.version >= snapshot.version:
            return True
        return self._nothing_at == (snapshot.source, snapshot.version)

    def _failed(self, sentence: str, *, unauthorised: bool = False) -> None:
        self.trouble.failed(sentence, unauthorised=unauthorised)
        self._rest(self.trouble.failures)

    def _rest(self, times: int) -> None:
        """No question for a while, after so many in vain."""
        self._due = self._clock() + min(2.0 ** min(times, 10) - 1, LONGEST_PAUSE_SECONDS)
