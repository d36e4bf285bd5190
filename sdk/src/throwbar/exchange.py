"""What does one poll do, and one report? No thread and no waiting in here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from throwbar.engine import Engine, log
from throwbar.errors import SnapshotError
from throwbar.harvest import settle, settle_all, take_dropped
from throwbar.memory import Memories, drawn_first
from throwbar.outbox import Letter, Outbox
from throwbar.report import Sender, cell_document
from throwbar.settings import Settings
from throwbar.shelf import Shelf
from throwbar.so_far import Outages, open_guards
from throwbar.stayed import Stayed
from throwbar.transport import HttpTransport, Transport
from throwbar.trouble import Trouble

REQUEST_TIMEOUT_SECONDS = 10.0
FOLLOWED_SECONDS = 12.0  # after a breaker opened, reports are frequent: what it refuses is what there is to tell
_FINAL = (400, 413)
_UNAUTHORISED = (401, 403)


class Exchange:
    """The conversation of one process with the control plane. For one thread."""

    def __init__(self, engine: Engine, settings: Settings, shelf: Shelf, transport: Transport | None) -> None:
        self.polling = Trouble("polling the control plane")
        self.reporting = Trouble("reporting to the control plane")
        self.outbox = Outbox()
        self.last_poll_at: float | None = None
        self._announced: dict[str, Any] = {}
        self._asked_at: float | None = None
        self.is_urgent = False  # a breaker opened a moment ago: the next report is wanted soon
        self._warned: set[str] = set()
        self._engine = engine
        self._settings = settings
        self._shelf = shelf
        self._http = HttpTransport(settings.url)
        self._transport: Transport = transport or self._http
        self._outages = Outages()
        self._memories = Memories(engine.tally.thinning)
        self._stayed = Stayed()

    def poll(self) -> bool:
        """Ask for the snapshot once. True when the one in force is now the newest."""
        snapshot = self._engine.snapshot
        headers = self._headers()
        if snapshot.ready:
            headers["If-None-Match"] = snapshot.etag
        try:
            status, _, body = self._ask("GET", "/sdk/v1/snapshot", headers, None)
        except Exception as error:  # noqa: BLE001 - a transport may raise anything; it means: no answer
            self.polling.failed(f"no answer ({_said(error)})")
            return False
        if status == 200:
            return self._take(body)
        if status == 304 and snapshot.ready:
            self._shelf.keep_again()
            return self._polled()
        self.polling.failed(_refusal(status), unauthorised=status in _UNAUTHORISED)
        return False

    @property
    def overdue(self) -> str:
        """A sentence on a request that no time limit has ended, as when a name is looked up in vain; else ""."""
        asked_at = self._asked_at
        waited = 0.0 if asked_at is None else self._engine.wall_clock() - asked_at
        return f"no answer for {waited:.0f} s, and still waiting" if waited > REQUEST_TIMEOUT_SECONDS else ""

    @property
    def is_behind(self) -> bool:
        """Whether the last report was answered with a snapshot version that no poll has brought yet."""
        return self._is_newer(self._announced)

    def report(self, *, last: bool = False, enough: Callable[[], bool] = lambda: False) -> bool:
        """Queue what has settled and send what is queued. True when the control plane knows a newer snapshot.

        `last` also takes what has not settled; `enough` is asked between two reports whether to stop.
        """
        self._queue(last=last)
        newer = False
        while (letter := self.outbox.first) is not None and not enough():
            answer = self._send(letter)
            if answer is None:
                break
            self._announced = answer
            newer = self._is_newer(answer)
        return newer

    def attend(self) -> None:
        """Give each follower of the engine its turn, in which it may ask the control plane for more."""
        for follower in self._engine.followers:
            try:
                follower(self._get)
            except Exception:  # noqa: BLE001 - as in the poller's loop: a rollback must arrive whatever a follower does
                log.exception("an error inside a follower of the SDK's poller; it goes on")

    def hang_up(self) -> None:
        """The conversation is over."""
        self._http.close()

    def _warn(self) -> None:
        for flag in self._engine.archived():
            if flag not in self._warned:
                self._warned.add(flag)
                log.warning("flag %s is archived: it answers with its final backend; remove its uses", flag)

    def _queue(self, *, last: bool) -> None:
        engine = self._engine
        self._warn()
        snapshot = engine.snapshot
        now = engine.wall_clock()
        guards = open_guards(engine.bindings())
        self.is_urgent = any(guard.since is not None and now - guard.since < FOLLOWED_SECONDS for _, guard in guards)
        told = self._outages.told(engine.tally, {operation for operation, _ in guards})
        if last:
            sums, unfinished = settle_all(engine.tally)
            self.outbox.count_dropped("unfinished_calls", unfinished)
        else:
            sums = settle(engine.tally, now, snapshot.outcome_deadline_seconds)
        self.outbox.count_dropped("calls", take_dropped(engine.tally))
        self.outbox.count_dropped("sdk_errors", engine.take_errors())
        strayed = self._stayed.strayed(sums)
        cells = [
            cell_document(total, self._memories.learn(total), strayed.get(total.identity))
            for total in drawn_first(sums)
        ]
        sections = engine.bulletin.take(engine.bindings(), self._shelf.overrides)
        for breaker in sections.get("breakers", ()):
            counts = told.get((breaker["flag"], breaker["operation"]))
            if counts and breaker["side"] == "candidate":
                breaker["so_far"] = counts
        if cells or last or sections or not self.outbox:
            sender = Sender(engine.instance, self._settings.service, snapshot.source, snapshot.version)
            self.outbox.put(sender, now, cells, sections)

    def _get(self, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        return self._ask("GET", path, {**self._headers(), **headers}, None)

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._asked_at = self._engine.wall_clock()
        try:
            return self._transport(method, path, headers, body, REQUEST_TIMEOUT_SECONDS)
        finally:
            self._asked_at = None

    def _send(self, letter: Letter) -> dict[str, Any] | None:
        """The server's answer, {} for a report that was refused for good, None when it must be sent again."""
        headers = self._headers() | {"Content-Type": "application/json"}
        try:
            status, _, body = self._ask("POST", "/sdk/v1/reports", headers, letter.body)
        except Exception as error:  # noqa: BLE001 - a transport may raise anything; it means: no answer
            self.reporting.failed(f"no answer ({_said(error)})")
            return None
        if status in _FINAL:
            self.outbox.refused()
            self.reporting.failed(f"report {letter.sequence} was dropped: {_refusal(status)}")
            return {}
        if status != 202:
            self.reporting.failed(_refusal(status), unauthorised=status in _UNAUTHORISED)
            return None
        self.outbox.acknowledged()
        self.reporting.over()
        return _answer(body)

    def _is_newer(self, answer: dict[str, Any]) -> bool:
        snapshot = self._engine.snapshot
        version = answer.get("version")
        if not isinstance(version, int):
            return False
        return answer.get("source", snapshot.source) != snapshot.source or version > snapshot.version

    def _take(self, body: bytes) -> bool:
        try:
            self._shelf.take(body)
        except SnapshotError as error:
            self.polling.failed(f"the snapshot was not applied: {error}")
            return False
        return self._polled()

    def _polled(self) -> bool:
        self.last_poll_at = self._engine.wall_clock()
        self.polling.over()
        return True

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._settings.token}",
            "Throwbar-Service": self._settings.service.encode("ascii", "replace").decode(),
            "Throwbar-Instance": self._engine.instance,
        }


def _answer(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int) -> str:
    if status in _UNAUTHORISED:
        return f"the token is not accepted (status {status})"
    return f"answered with status {status}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
