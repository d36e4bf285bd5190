"""What does the bare name of an unknown exception class suggest? The last resort, so it proves nothing of delivery."""

from __future__ import annotations

from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo

# In this order: a ConnectTimeout is a matter of connecting.
_ENDINGS = (
    (Category.CONNECTION, ("ConnectTimeout", "ConnectTimeoutError", "PoolTimeout", "ConnectError", "ConnectorError")),
    (Category.TIMEOUT, ("Timeout", "TimeoutError", "TimeoutException", "TimedOut", "DeadlineExceeded")),
    (Category.COMMUNICATION, ("ConnectionError", "ReadError", "WriteError", "ProtocolError", "DisconnectedError")),
    (Category.COMMUNICATION, ("DecodeError", "DecodingError")),
    (Category.THROTTLED, ("RateLimitError", "RateLimited", "TooManyRequests", "ThrottlingException")),
    (Category.CANCELLED, ("CancelledError",)),
)


def by_telling_name(kind: type) -> ErrorInfo | None:
    """The nearest ancestor whose name ends in a telling way."""
    for ancestor in type.mro(kind):
        for category, endings in _ENDINGS:
            if ancestor.__name__.endswith(endings):
                return BY_CATEGORY[category]._replace(delivery=Delivery.UNKNOWN, because=f"name {ancestor.__name__}")
    return None
