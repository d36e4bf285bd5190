"""What does a server's own answer mean: an HTTP status, a gRPC status, an SQLSTATE, a MySQL error number?

A status proves that the call was not carried out only where nobody but the backend's refusal can cause it.
"""

from __future__ import annotations

from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo

_CONNECTION = BY_CATEGORY[Category.CONNECTION]
_COMMUNICATION = BY_CATEGORY[Category.COMMUNICATION]
_TIMEOUT = BY_CATEGORY[Category.TIMEOUT]
_RESOURCE = BY_CATEGORY[Category.RESOURCE]
_THROTTLED = BY_CATEGORY[Category.THROTTLED]
_CONFLICT = BY_CATEGORY[Category.CONFLICT]
_VALIDATION = BY_CATEGORY[Category.VALIDATION]
_APPLICATION = BY_CATEGORY[Category.APPLICATION]
_SYSTEM = BY_CATEGORY[Category.SYSTEM]
_CANCELLED = BY_CATEGORY[Category.CANCELLED]

_HTTP = {
    408: _TIMEOUT,
    425: _COMMUNICATION._replace(delivery=Delivery.REJECTED),  # refused early data: send it again
    429: _THROTTLED,
    502: _COMMUNICATION,  # a proxy lost the backend's reply
    503: _RESOURCE,
    504: _TIMEOUT,
}

_GRPC = {
    "CANCELLED": _CANCELLED,
    "UNKNOWN": _APPLICATION,  # the handler raised
    "INVALID_ARGUMENT": _VALIDATION,
    "DEADLINE_EXCEEDED": _TIMEOUT,
    "NOT_FOUND": _VALIDATION,
    "ALREADY_EXISTS": _VALIDATION,
    "PERMISSION_DENIED": _VALIDATION,
    # Not REJECTED: the client's library says this too, of a reply above its size limit, when all was done.
    "RESOURCE_EXHAUSTED": _THROTTLED._replace(delivery=Delivery.UNKNOWN),
    "FAILED_PRECONDITION": _VALIDATION,
    "ABORTED": _CONFLICT,
    "OUT_OF_RANGE": _VALIDATION,
    "UNIMPLEMENTED": _APPLICATION,  # not REJECTED: also said of a missing reply
    "INTERNAL": _APPLICATION,
    "UNAVAILABLE": _RESOURCE,  # refused and lost in the middle look alike
    "DATA_LOSS": _APPLICATION,
    "UNAUTHENTICATED": _VALIDATION,
}

_SQLSTATE = {
    "08001": _CONNECTION,
    "08004": _CONNECTION,
    "40001": _CONFLICT,
    "40003": _COMMUNICATION,  # statement completion unknown
    "40P01": _CONFLICT,
    "55P03": _CONFLICT,
    "57014": _TIMEOUT,
}
_SQLSTATE_BEGINNING = {
    "57P0": _RESOURCE,
    "08": _COMMUNICATION,
    "22": _VALIDATION,
    "23": _VALIDATION,
    "53": _RESOURCE,
    "58": _SYSTEM,
}

_MYSQL = {
    **dict.fromkeys((2002, 2003, 2005), _CONNECTION),
    **dict.fromkeys((1927, 2006, 2013, 2055, 4031), _COMMUNICATION),
    **dict.fromkeys((1317, 1969, 3024), _TIMEOUT),
    **dict.fromkeys((1021, 1037, 1040, 1041, 1053, 1114, 1203), _RESOURCE),
    **dict.fromkeys((1205, 1213), _CONFLICT),
    **dict.fromkeys((1048, 1062, 1264, 1364, 1366, 1406, 1451, 1452, 1586, 3819), _VALIDATION),
}


def of_http(status: int) -> ErrorInfo | None:
    """None for what is no error: a failure that carries it must be something else."""
    info = _HTTP.get(status)
    if info is None and 400 <= status <= 599:
        info = _VALIDATION if status < 500 else _APPLICATION
    return info and info._replace(because=f"HTTP status {status}")


def of_grpc(name: str) -> ErrorInfo | None:
    """`name` as in `grpc.StatusCode`."""
    info = _GRPC.get(name)
    return info and info._replace(because=f"gRPC status {name}")


def of_sqlstate(state: str) -> ErrorInfo | None:
    """None where the state says too little, as MySQL's HY000."""
    info = _SQLSTATE.get(state) or _SQLSTATE_BEGINNING.get(state[:4]) or _SQLSTATE_BEGINNING.get(state[:2])
    return info and info._replace(because=f"SQLSTATE {state}")


def of_mysql(number: int) -> ErrorInfo | None:
    info = _MYSQL.get(number)
    return info and info._replace(because=f"MySQL error {number}")
