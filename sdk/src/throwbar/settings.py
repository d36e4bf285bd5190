"""Where is the control plane, who are we, and how often do we ask? Arguments, else environment, else default."""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from throwbar.errors import ConfigurationError
from throwbar.names import sendable

BackupFile = str | os.PathLike[str] | bool
_OFF = ("off", "false", "no", "0")


class Arguments(NamedTuple):
    """What the author of the service wrote; None where the environment is to be asked."""

    url: str | None
    token: str | None
    service: str | None
    poll_interval: float
    report_interval: float
    backup_file: BackupFile | None


class Settings(NamedTuple):
    """Checked settings. `problem` says in one sentence why this client cannot reach any control plane, else ""."""

    url: str
    token: str
    service: str
    poll_interval: float
    report_interval: float
    backup_file: str | bool
    override_file: str
    problem: str


def read_settings(arguments: Arguments, environment: Mapping[str, str]) -> Settings:
    """Merge arguments and environment.

    Raises ConfigurationError for a malformed argument: its author is there to read it. A malformed environment
    must not stop a host, so it becomes the `problem`.
    """
    _refuse_malformed(arguments)
    url = environment.get("THROWBAR_URL", "") if arguments.url is None else arguments.url
    token = environment.get("THROWBAR_TOKEN", "") if arguments.token is None else arguments.token
    service = arguments.service or environment.get("THROWBAR_SERVICE") or _name_of_program()
    problems = [f"THROWBAR_URL {_wrong_url(url)}" if _wrong_url(url) else ""]
    problems += [f"THROWBAR_TOKEN {_wrong_token(token)}" if _wrong_token(token) else ""]
    problems += ["" if sendable(service) else f"THROWBAR_SERVICE is {service!r}, not a name"]
    return Settings(
        url.rstrip("/"),
        token,
        service,
        float(arguments.poll_interval),
        float(arguments.report_interval),
        _backup_file(arguments.backup_file, environment.get("THROWBAR_BACKUP_FILE", "")),
        environment.get("THROWBAR_OVERRIDE_FILE", ""),
        "; ".join(filter(None, problems)),
    )


def _refuse_malformed(arguments: Arguments) -> None:
    for name in ("poll_interval", "report_interval"):
        seconds: object = getattr(arguments, name)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.01 <= seconds <= 86_400:
            raise ConfigurationError(f"{name} is {seconds!r}, not a number of seconds from 0.01 to 86400")
    if arguments.url is not None and (wrong := _wrong_url(arguments.url)):
        raise ConfigurationError(f"url {wrong}")
    if arguments.token is not None and (wrong := _wrong_token(arguments.token)):
        raise ConfigurationError(f"token {wrong}")
    service: object = arguments.service
    if service is not None and (not isinstance(service, str) or not sendable(service)):
        raise ConfigurationError(f"service is {service!r}, not a name")
    backup_file: object = arguments.backup_file
    if backup_file is not None and (not isinstance(backup_file, str | os.PathLike | bool) or backup_file == ""):
        raise ConfigurationError(f"backup_file is {backup_file!r}, neither a path nor True nor False")


def _wrong_url(url: object) -> str:
    if not isinstance(url, str) or not url:
        return "is not set"
    from urllib.parse import urlsplit  # noqa: PLC0415 - not for a host that imports this and makes no client

    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return f"is {url!r}, which is no URL"
    if not sound or parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return f"is {url!r}, not like https://throwbar.example.com"
    if parts.username is not None:
        return "holds a password; the token is what authenticates"
    return ""


def _wrong_token(token: object) -> str:
    if not isinstance(token, str) or not token:
        return "is not set"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "holds characters that no token has"  # not shown: it may be a real one with a typing error
    return ""


def _backup_file(argument: BackupFile | None, variable: str) -> str | bool:
    if argument is None:
        argument = (variable.lower() not in _OFF and variable) if variable else True
    return argument if isinstance(argument, bool) else os.fspath(argument)


def _name_of_program() -> str:
    name = os.path.basename(sys.argv[0] if sys.argv else "")
    return name if sendable(name) else "python"
