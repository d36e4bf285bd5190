"""Who may listen without showing a token? Browsers send no headers with an EventSource, so its address is signed.

A ticket opens nothing but the notice that something has changed. It lasts from half an hour to an hour, and no
longer than the token it was given for; within half an hour a token gets the same one, so that nobody connects anew.
"""

import hmac
import re
from datetime import UTC

from controlplane.clock import Clock
from web.edge.http import problem
from web.edge.tokens import INVALID, TokenTable, Visitor

STEP = 1_800  # seconds
_TICKET = re.compile(r"(\d{1,18})\.(\d{1,12})\.([0-9a-f]{64})")


class Tickets:
    """`key` is the same in every process that may be asked."""

    def __init__(self, key: bytes, tokens: TokenTable, clock: Clock) -> None:
        self._key = key
        self._tokens = tokens
        self._clock = clock

    def issue(self, visitor: Visitor) -> str:
        until = (self._now() // STEP + 2) * STEP
        return f"{visitor.token_id}.{until}.{self._sign(visitor, until)}"

    def admit(self, ticket: str) -> Visitor:
        """Raises Problem 401 for one that is not ours, is over, or whose token is not valid any more."""
        match = _TICKET.fullmatch(ticket)
        if match is None:
            raise problem(401, "this address is not complete: take it from the answer of a bulk evaluation", INVALID)
        visitor, until = self._tokens.numbered(int(match[1])), int(match[2])
        # One answer for all of it: whoever makes addresses up must not learn which tokens there are.
        if visitor is None or not hmac.compare_digest(self._sign(visitor, until), match[3]) or until <= self._now():
            raise problem(401, "this address is over: take a new one from the answer of a bulk evaluation", INVALID)
        self._tokens.used.add(visitor.token_id)
        return visitor

    def is_valid(self, visitor: Visitor) -> bool:
        """Whether the token of somebody who was admitted still is."""
        return self._tokens.is_valid(visitor.token_hash)

    def _sign(self, visitor: Visitor, until: int) -> str:
        what = f"{visitor.token_id}.{until}.{visitor.token_hash}.{visitor.environment}"
        return hmac.new(self._key, what.encode(), "sha256").hexdigest()

    def _now(self) -> int:
        return int(self._clock().astimezone(UTC).timestamp())
