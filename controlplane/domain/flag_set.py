"""Flag set: the flags of an environment as services of other makes read them, a flagd definition."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.flag import Flag
from controlplane.domain.flagd import flagd_flag
from controlplane.domain.snapshot import BUCKETING

SCHEMA = "https://flagd.dev/schema/v0/flags.json"

Judge = Callable[[str, Mapping[str, Any]], str | None]  # key and flagd flag → what is wrong with it


@dataclass(frozen=True, slots=True)
class FlagSet:
    """`document` is the definition; `left_out` says of each flag that is not in it why."""

    environment: str
    source: str
    version: int
    document: Mapping[str, Any]
    left_out: Mapping[str, str]


def compile_flag_set(environment: str, source: str, version: int, flags: Iterable[Flag], judge: Judge) -> FlagSet:
    """Readers refuse a whole definition for one malformed flag, so such a one stays out. So do retired flags."""
    made = {flag.key: flagd_flag(flag) for flag in flags if not flag.retired_at}
    faults = {key: fault for key, each in made.items() if (fault := judge(key, each))}
    document = {
        "$schema": SCHEMA,
        "metadata": {"flagSetId": environment, "version": str(version)},
        "throwbar": {"source": source, "version": version, "bucketing": BUCKETING},
        "flags": {key: each for key, each in made.items() if key not in faults},
    }
    return FlagSet(environment, source, version, document, faults)
