"""What goes wrong in a backend when the demo asks for it: a control file, and what a worker does about it."""

import json
import os
import random
import signal
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from web.cli.demo.classifier import Classifier

_DICE = random.Random()  # noqa: S311 - which request kills a worker is no secret


class Kind(StrEnum):
    """The ways a backend goes bad."""

    NONE = "none"
    ERRORS = "errors"
    LATENCY = "latency"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Fault:
    """What the control file says. `share` (0…1) is of words for errors, of requests for crash; `seconds` delay each."""

    kind: Kind = Kind.NONE
    share: float = 0.0
    seconds: float = 0.0


FAULTS = {
    Kind.NONE: Fault(),
    Kind.ERRORS: Fault(Kind.ERRORS, share=0.12),
    Kind.LATENCY: Fault(Kind.LATENCY, seconds=0.04),
    Kind.CRASH: Fault(Kind.CRASH, share=0.25),
}


def inject(path: Path, fault: Fault) -> None:
    """Switch a fault on in every worker that watches this file; atomic, so that no worker reads half of it."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(fault)), encoding="utf-8")
    draft.replace(path)


class FaultFile:
    """Watches a control file; a worker asks before each request, which costs one stat."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._fault = Fault()

    def current(self) -> Fault:
        if self._path is None:
            return self._fault
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return self._fault
        if (status.st_ino, status.st_mtime_ns) != self._seen:
            self._seen = (status.st_ino, status.st_mtime_ns)
            said = json.loads(self._path.read_text(encoding="utf-8"))
            self._fault = Fault(Kind(said["kind"]), said["share"], said["seconds"])
        return self._fault


def suffer(fault: Fault) -> None:
    """What befalls the process itself: it slows down, or dies at once, as at the hands of the out-of-memory killer."""
    if fault.kind is Kind.LATENCY:
        time.sleep(fault.seconds)
    if fault.kind is Kind.CRASH and _DICE.random() < fault.share:
        os.kill(os.getpid(), signal.SIGKILL)


def damaged(model: Classifier, share: float) -> Classifier:
    """The model as a half-written file leaves it: the rows of some words end early, and using them raises."""
    rows = {word: row[: len(row) // 2] if _is_hit(word, share) else row for word, row in model.log_likelihoods.items()}
    return replace(model, log_likelihoods=rows)


def _is_hit(word: str, share: float) -> bool:
    return random.Random(word).random() < share  # noqa: S311 - spread evenly, the same in every worker
