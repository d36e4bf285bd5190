"""Did the client send this call before, of its own accord? Then the failure it shows is only that of the last time.

A retry or a redirect hides what the first request did. Clients do not report it, but some leave a trace.
"""

from __future__ import annotations

from throwbar.taxonomy import Delivery, ErrorInfo

_SENT_AGAIN = {
    "HTTPConnectionPool.urlopen": 2,  # urllib3 retries by calling itself
    "SessionRedirectMixin.resolve_redirects": 1,  # requests
    "HTTPRedirectHandler.http_error_302": 1,  # urllib
}
_LONGEST = 200  # frames


def tried_before(error: BaseException) -> bool:
    """By its name the end of several tries, or by its stack."""
    if type(error).__name__ == "RetryError":
        return True
    trace, calls = error.__traceback__, dict.fromkeys(_SENT_AGAIN, 0)
    for _ in range(_LONGEST):
        if trace is None:
            return False
        name = trace.tb_frame.f_code.co_qualname
        if name in calls:
            calls[name] += 1
            if calls[name] == _SENT_AGAIN[name]:
                return True
        trace = trace.tb_next
    return True


def after_redirects(info: ErrorInfo, history: object) -> ErrorInfo:
    """A refusal at the end of a redirect is not one of the first request. Where nothing is repeated, no matter."""
    if history and info.retryable and info.delivery is Delivery.REJECTED:
        return info._replace(delivery=Delivery.UNKNOWN, because=f"{info.because} after a redirect")
    return info
