"""Which modes may an operation ever run in? Its kind decides, and what its author has promised. Pure."""

from __future__ import annotations

from throwbar.decision import SINGLE
from throwbar.errors import ConfigurationError
from throwbar.kinds import Kind

SHADOW = "shadow"  # the other side is called with a copy, for comparison
AA = "aa"  # the baseline is called twice: how much do its own answers differ?
DUAL_WRITE = "dual_write"  # the other side is written to as well

_ONE = frozenset({SINGLE})
_READING = frozenset({SINGLE, SHADOW, AA})
_WRITING = frozenset({SINGLE, DUAL_WRITE})


def possible_modes(
    kind: Kind, *, compares: bool = False, dual_write: bool = False, reconcile: object = None
) -> frozenset[str]:
    """The modes that may be obeyed, whoever asks for another one.

    `compares`: the author gave a `compare`. Raises ConfigurationError for a promise that does not go with the kind.
    """
    if reconcile is not None and not callable(reconcile):
        raise ConfigurationError(f"reconcile is {reconcile!r}, not a function of a divergence")
    if kind is Kind.READ:
        if dual_write or reconcile is not None:
            raise ConfigurationError("dual_write and reconcile are for writes; this operation's kind is read")
        return _READING
    if compares:
        raise ConfigurationError(f"compare is for reads: a shadow call of a {kind} would write twice")
    if kind is Kind.WRITE and dual_write and reconcile is None:
        raise ConfigurationError("a dual write that may not be repeated needs reconcile=, or nothing would mend it")
    if kind is Kind.WRITE and not dual_write:
        return _ONE
    return _WRITING
