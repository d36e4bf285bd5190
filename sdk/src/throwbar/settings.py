"""Where is the control plane, who are we, and how often do we ask? Arguments, else environment, else default."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from throwbar.errors import ConfigurationError


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


def read_settings(
    url: str | None,
    token: str | None,
    service: str | None,
    poll_interval: float,
    report_interval: float,
    backup_file: str | os.PathLike[str] | bool | None,
    environment: Mapping[str, str],
) -> Settings:
    """Merge arguments and environment.

    Raises ConfigurationError for a malformed argument: its author is there to read it. A malformed environment
    must not stop a host, so it becomes the `problem`.
    """
    for name, seconds in (("poll_interval", poll_interval), ("report_interval", report_interval)):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.01 <= seconds <= 86_400:
            raise ConfigurationError(f"{name} is {seconds!r}, not a number of seconds from 0.01 to 86400")
    if url is not None and (wrong := _wrong_url(url)):
        raise ConfigurationError(f"url {wrong}")
    if token is not None and (wrong := _wrong_token(token)):
        raise ConfigurationError(f"token {wrong}")
    if service is not None and not (isinstance(service, str) and service):
        raise ConfigurationError(f"service is {service!r}, not a name")
    problem = _named("THROWBAR_URL", _wrong_url(environment.get("THROWBAR_URL", ""))) if url is None else ""
    if token is None:
        problem = problem or _named("THROWBAR_TOKEN", _wrong_token(environment.get("THROWBAR_TOKEN", "")))
    return Settings(
        (environment.get("THROWBAR_URL", "") if url is None else url).rstrip("/"),
        environment.get("THROWBAR_TOKEN", "") if token is None else token,
        service or environment.get("THROWBAR_SERVICE") or _name_of_program(),
        float(poll_interval),
        float(report_interval),
        _backup(backup_file, environment.get("THROWBAR_BACKUP_FILE", "")),
        environment.get("THROWBAR_OVERRIDE_FILE", ""),
        problem,
    )


def _named(variable: str, wrong: str) -> str:
    return f"{variable} {wrong}" if wrong else ""


def _wrong_url(url: object) -> str:
    if not isinstance(url, str) or not url:
        return "is not set"
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or parts.username is not None or not url.isprintable() or " " in url:
        return f"is {url!r}, not like https://throwbar.example.com"
    return ""


def _wrong_token(token: object) -> str:
    if not isinstance(token, str) or not token:
        return "is not set"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "holds characters that no token has"  # and is not shown: it may be a real one with a typing error
    return ""


def _backup(argument: str | os.PathLike[str] | bool | None, variable: str) -> str | bool:
    if argument is None:
        argument = variable or True
    if isinstance(argument, str) and argument.lower() in ("off", "false", "0", "no"):
        return False
    return argument if isinstance(argument, bool) else os.fspath(argument)


def _name_of_program() -> str:
    return os.path.basename(sys.argv[0] if sys.argv else "") or "python"
