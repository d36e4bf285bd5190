"""What does a host pay for having the SDK: import, memory, packages, bytes on disk? Each in its own interpreter."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import throwbar
from bench.scale import Scale
from bench.scores import Score

PEERS = {
    "LaunchDarkly": ("launchdarkly-server-sdk", "ldclient"),
    "Unleash": ("UnleashClient", "UnleashClient"),
    "GrowthBook": ("growthbook", "growthbook"),
    "flagd, with OpenFeature": ("openfeature-provider-flagd", "openfeature.contrib.provider.flagd"),
    "pybreaker": ("pybreaker", "pybreaker"),
    "circuitbreaker": ("circuitbreaker", "circuitbreaker"),
    "tenacity": ("tenacity", "tenacity"),
    "stamina": ("stamina", "stamina"),
}
MEASURED = """
import os, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before, started = resident(), time.process_time_ns()
{}
print(time.process_time_ns() - started, resident() - before)
"""
MADE = "import throwbar; throwbar.Client('https://127.0.0.1:9', 't', backup_file=False)"
# A control plane that is not there is enough: by then all is loaded that a poll needs, with `https` TLS, too.
STARTED = """
import logging; logging.disable()
import throwbar
client = throwbar.Client("{}://127.0.0.1:9", "t", backup_file=False)
client.wait_ready(0.3)
client.migration("flag-7").decide("echo", key="s")
assert client.status().last_error
"""
TLS = "import ssl; context = ssl.create_default_context(capath=ssl.get_default_verify_paths().capath)"
MIB = 1 << 20


def scores(scale: Scale) -> Iterator[Score]:
    peers = {name: which for name, which in PEERS.items() if _is_here(which[0])}
    yield from _imports(peers, scale.rounds)
    yield from _packages(peers)


def _imports(peers: dict[str, tuple[str, str]], rounds: int) -> Iterator[Score]:
    ours, memory = _least("import throwbar", rounds)
    costs = {name: _least(f"import {module}", rounds) for name, (_, module) in peers.items()}
    yield Score("import", f"{ours:.0f} ms CPU", "1", "≤ 35 ms", ours <= 35)
    yield Score("import, and make a client", f"{_least(MADE, rounds)[0]:.0f} ms CPU")
    for name, (millis, _) in costs.items():
        yield Score(f"import of {name}", f"{millis:.0f} ms CPU", f"{millis / ours:.1f}")
    started = {scheme: _least(STARTED.format(scheme), rounds)[1] for scheme in ("http", "https")}
    yield Score("memory after the import", f"{memory:.1f} MiB", "1")
    tls = _least(TLS, rounds)[1]
    reasons = {"https": f"Python's own TLS takes {tls:.1f}, which a host that speaks it has already"}
    for scheme, mib in started.items():
        met, because = mib <= 10, reasons.get(scheme, "")
        yield Score(f"memory after start, {scheme}", f"{mib:.1f} MiB", f"{mib / memory:.1f}", "≤ 10 MiB", met, because)
    yield Score("memory of Python's TLS alone", f"{tls:.1f} MiB")
    for name, (_, mib) in costs.items():
        yield Score(f"memory after the import of {name}", f"{mib:.1f} MiB", f"{mib / memory:.1f}")


def _packages(peers: dict[str, tuple[str, str]]) -> Iterator[Score]:
    others = sorted(_needed("throwbar") - {"throwbar"})
    size = _size("throwbar") / MIB
    yield Score("other packages", f"{len(others)}", "", "1 (mmh3)", others == ["mmh3"])
    yield Score("size, without mmh3", f"{size:.2f} MiB")
    size += _size("mmh3") / MIB
    yield Score("size, with mmh3", f"{size:.2f} MiB", "", "≤ 1 MiB", size <= 1)
    for name, (package, _) in peers.items():
        needed = _needed(package)
        yield Score(
            f"other packages of {name}, size of all", f"{len(needed) - 1}, {sum(map(_size, needed)) / MIB:.1f} MiB"
        )


def _is_here(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _least(program: str, rounds: int) -> tuple[float, float]:
    """Milliseconds of CPU and MiB that the program adds to an interpreter, the least of each over the rounds."""
    told = [_told(program) for _ in range(rounds + 1)]  # the first may have to compile
    return min(nanos for nanos, _ in told) / 1e6, min(size for _, size in told) / MIB


def _told(program: str) -> tuple[int, int]:
    # As services run, with compiled modules on disk.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
    nanos, size = done.stdout.split()
    return int(nanos), int(size)


def _needed(name: str) -> set[str]:
    """The distribution and everything it cannot do without, where it is installed here."""
    from packaging.requirements import Requirement

    found, wanted = set(), [name]
    while wanted:
        each = wanted.pop().lower().replace("_", "-")
        if each in found or not _is_here(each):
            continue
        found.add(each)
        for line in metadata.requires(each) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(requirement.name)
    return found


def _size(name: str) -> int:
    """Bytes, without what the interpreter compiles."""
    if name == "throwbar":  # may be installed as a link to the sources
        return sum(path.stat().st_size for path in Path(throwbar.__file__).parent.rglob("*.py"))
    paths = [Path(str(file.locate())) for file in metadata.files(name) or []]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
