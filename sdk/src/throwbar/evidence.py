"""What kind of failure is this exception, and how far did its call get? The order in which evidence is heard.

The user's word, the exception's own `error_info`, its class, what it carries, what caused it. An exception that was
merely being handled when this one arose may lend its category, but proves nothing about delivery: the call that failed
in the end may be another one.
"""

from __future__ import annotations

from collections.abc import Callable

from throwbar.carried import CARRIERS, answer_in, claim_in, read, shortage_in
from throwbar.earlier_tries import tried_before
from throwbar.known_errors import Known, look_up
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo

Classifier = Callable[[BaseException], ErrorInfo | None]

DEEPEST = 8  # causes; also what makes a circle of causes end

_OPAQUE = {  # made beforehand: the stack may be at its end when one is needed
    ours: BY_CATEGORY[category]._replace(because="an exception that cannot be looked at")
    for ours, category in ((True, Category.APPLICATION), (False, Category.CANCELLED))
}


def classify(error: BaseException, user: Classifier | None = None) -> ErrorInfo:
    """Never raises an Exception, whatever `error` and `user` do. `user` may return None to leave it to us."""
    try:
        if user is not None:
            return _ask(user, error)
        own = read(error, "error_info")
        return own if isinstance(own, ErrorInfo) else _weigh(error)
    except Exception:  # noqa: BLE001 - somebody else's object, in the middle of a call
        return _OPAQUE[issubclass(type(error), Exception)]


def _ask(user: Classifier, error: BaseException) -> ErrorInfo:
    try:
        said = user(error)
    except Exception as trouble:  # noqa: BLE001 - the host's code; its call has failed already
        info = classify(error)
        return info._replace(because=f"{info.because} (the operation's classify raised {type(trouble).__name__})")
    if not isinstance(said, ErrorInfo):
        return classify(error)
    return said if said.because else said._replace(because="the operation's classify")


def _weigh(error: BaseException) -> ErrorInfo:
    """Walk from the exception to what caused it, as far as the first that decides."""
    known = look_up(type(error))
    if known.settled:
        return known.info
    proof = True
    leaning: ErrorInfo | None = None
    node = error
    for depth in range(DEEPEST):
        decided, leans = _decide(node)
        if decided is not None:
            return _at(decided, depth, proof=proof)
        if leaning is None and leans is not None:
            leaning = _at(leans, depth, proof=proof)
        following, strong = _cause(node)
        if following is None:
            break
        node, proof = following, proof and strong
    return leaning or known.info


def _decide(error: BaseException) -> tuple[ErrorInfo | None, ErrorInfo | None]:
    """What this one exception proves, and what it only leans to."""
    known = look_up(type(error))
    if known.settled:
        return known.info, None
    answer = shortage_in(error)
    claim = None
    if _carries(error, known):
        answer = answer or answer_in(error)
        claim = None if answer else claim_in(error)
    if claim is not None and read(error, "__cause__") is None:
        return claim, None
    return answer, claim or (known.info if known.named else None)


def _carries(error: BaseException, known: Known) -> bool:
    return known.may_carry or not CARRIERS.isdisjoint(error.__dict__)


def _at(info: ErrorInfo, depth: int, *, proof: bool) -> ErrorInfo:
    if depth == 0:
        return info
    if proof:
        return info._replace(because=f"caused by {info.because}")
    return info._replace(delivery=_unproven(info.delivery), because=f"not proven, but seen: {info.because}")


def _unproven(delivery: Delivery) -> Delivery:
    return Delivery.APPLIED if delivery is Delivery.APPLIED else Delivery.UNKNOWN


def _cause(error: BaseException) -> tuple[BaseException | None, bool]:
    """The next exception to ask, and whether what it says about delivery holds for this one."""
    for name in ("__cause__", "orig", "reason"):
        cause = read(error, name)
        if isinstance(cause, BaseException):
            return cause, not tried_before(error)
    arguments = read(error, "args")
    if isinstance(arguments, tuple):
        for argument in arguments[:2]:
            if isinstance(argument, BaseException):
                return argument, not tried_before(error)
    if isinstance(error, BaseExceptionGroup):  # of several calls, one may have got through
        return error.exceptions[0], False
    context = None if read(error, "__suppress_context__") else read(error, "__context__")
    return (context, False) if isinstance(context, BaseException) else (None, False)
