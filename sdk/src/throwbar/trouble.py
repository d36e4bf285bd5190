"""What went wrong last between us and the control plane, and has it been said?"""

from __future__ import annotations

from throwbar.engine import log


class Trouble:
    """One line of conversation (polling, reporting, a file). Says a thing when it begins and when it ends."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self.sentence = ""
        self.failures = 0
        self.unauthorised = False

    def failed(self, sentence: str, *, unauthorised: bool = False) -> None:
        if sentence != self.sentence:
            log.warning("%s: %s", self._subject, sentence)
        self.sentence = sentence
        self.failures += 1
        self.unauthorised = unauthorised

    def over(self) -> None:
        if self.failures:
            log.info("%s: works again after %d failures", self._subject, self.failures)
        self.sentence = ""
        self.failures = 0
        self.unauthorised = False
