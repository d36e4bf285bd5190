"""How does a checkout get its virtual environment? Standard library only: nothing is installed yet."""

import argparse
import fcntl
import hashlib
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PROJECTS = ("pyproject.toml", "sdk/pyproject.toml")
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
MISSING = (
    "This Python cannot make virtual environments: on Debian and Ubuntu, "
    "apt-get install python3-venv make (on others, the package with the modules venv and ensurepip)."
)


def fingerprint(kind: str) -> str:
    """Sum of all that decides what an installed environment of this kind contains and where it may stand."""
    digest = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    digest.update((ROOT / LOCKS[kind]).read_bytes())
    for name in PROJECTS:
        settings = tomllib.loads((ROOT / name).read_text())
        # Not the whole file: a new rule of the linter is no reason to install anything.
        told = [settings["build-system"], settings["project"], settings["tool"]["setuptools"]]
        digest.update(json.dumps(told, sort_keys=True).encode())
    return digest.hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f".installed-{kind}"


def is_current(kind: str) -> bool:
    """True when the environment runs and was installed from exactly these files; dev includes runtime."""
    kinds = {"runtime", kind} if kind == "dev" else {"runtime"}
    return PYTHON.exists() and all(stamp(k).exists() and stamp(k).read_text() == fingerprint(k) for k in kinds)


def make_venv() -> None:
    """A checkout that was moved, or whose Python was replaced, gets a new one: old scripts name old paths."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(MISSING)
    origin = VENV / ".made-by"
    made_by = f"{ROOT} {sys.version}"
    stale = origin.exists() and origin.read_text() != made_by
    options = ["--clear"] if stale else []
    if subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=False).returncode != 0:
        sys.exit(MISSING)
    origin.write_text(made_by)


def install(kind: str) -> None:
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    editables = ["-e", str(ROOT), "-e", str(ROOT / "sdk")]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / LOCKS[kind])], check=True)
    # The lock has named every dependency and the build backend: ask no index for anything more.
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", *editables], check=True)


def bootstrap(kind: str) -> None:
    if is_current(kind):
        return
    print(f"Installing into {VENV.name} from {LOCKS[kind]}; this is done once.", file=sys.stderr)
    make_venv()
    install(kind)
    for installed in {"runtime", kind}:
        stamp(installed).write_text(fingerprint(installed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    kind = "dev" if parser.parse_args().dev else "runtime"
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "bootstrap.lock").open("w") as lock:  # two make commands at once take turns
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            bootstrap(kind)
        except subprocess.CalledProcessError as error:
            sys.exit(f"Installing failed (exit status {error.returncode}): {' '.join(error.cmd[:6])} …")


if __name__ == "__main__":
    main()
