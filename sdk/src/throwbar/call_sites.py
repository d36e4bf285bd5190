"""Where does a code base use which flag, and which function is the baseline there?"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from throwbar.source_names import Client, Files, Migration, Operation, SourceFile, argument

_METHODS = ("operation", "route", "attempt", "decide")
_PASSED_OVER = frozenset({"site-packages", "node_modules", "__pycache__", "build", "dist"})


Sides = Mapping[tuple[ast.Call, str], str]


@dataclass(frozen=True, slots=True)
class Site:
    """One use. `flag` and `operation` are None where they are made at run time, or there is none.

    `call` is `migration`, `operation`, `route`, `attempt`, `decide`, or `text` for the bare key of a flag. `baseline`
    and `candidate` name the functions of `operation` and `route` with their lines, or are "".
    """

    file: str
    line: int
    call: str
    flag: str | None
    operation: str | None = None
    baseline: str = ""
    candidate: str = ""

    @property
    def dynamic(self) -> bool:
        """Whether a name is missing that only a run could tell."""
        return self.flag is None or (self.call in _METHODS and self.operation is None)


@dataclass(frozen=True, slots=True)
class Found:
    """All uses, by file and line, and the files that are no Python that this interpreter reads, with the reason."""

    sites: tuple[Site, ...]
    unread: Mapping[str, str]


def find(paths: Iterable[Path], completed: frozenset[str] = frozenset()) -> Found:
    """Read all Python files below `paths`. The keys of `completed` flags are found as bare texts, too."""
    files: dict[str, SourceFile] = {}
    shown: dict[str, str] = {}
    unread: dict[str, str] = {}
    for root in paths:
        for path in _python_files(root):
            module = _module(path, root)
            try:
                files[module] = SourceFile(module, path.read_text("utf-8"))
                shown[module] = str(path)
            except (SyntaxError, ValueError, OSError) as error:
                unread[str(path)] = str(error)
    sides = _registered(files)
    sites = [site for module, file in files.items() for site in _sites(file, shown[module], files, sides, completed)]
    return Found(tuple(sorted(sites, key=lambda site: (site.file, site.line))), unread)


def _python_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, below, names in os.walk(root):
        here = Path(folder)
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".") and name not in _PASSED_OVER and not (here / name / "pyvenv.cfg").exists()
        )
        yield from (here / name for name in sorted(names) if name.endswith(".py"))


def _module(path: Path, root: Path) -> str:
    """As an import below `root` would spell it. The folder that is scanned may be the package itself, or hold it."""
    start = root.parent if root.is_file() or (root / "__init__.py").exists() else root
    parts = path.resolve().relative_to(start.resolve()).with_suffix("").parts
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _sites(file: SourceFile, shown: str, files: Files, sides: Sides, completed: frozenset[str]) -> Iterator[Site]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call):
            site = _site(file, node, shown, files, sides)
            if site is not None:
                yield site
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in completed:
            yield Site(shown, node.lineno, "text", node.value)


def _site(file: SourceFile, node: ast.Call, shown: str, files: Files, sides: Sides) -> Site | None:
    scope = file.scope_of[node]
    method, receiver = file.method(node, scope, files)
    if method == "migration":
        flag = file.text(node, "key", scope, files)
        known = flag is not None or isinstance(receiver, Client)
        return Site(shown, node.lineno, method, flag) if known else None
    if method not in _METHODS or not isinstance(receiver, Migration):
        return None
    operation = file.text(node, "name", scope, files)
    if method == "route":
        candidate = argument(node, 99, "candidate")
        named = "" if candidate is None else ast.unparse(candidate)
        return Site(shown, node.lineno, method, receiver.flag, operation, sides.get((node, "route"), ""), named)
    named_sides = [sides.get((node, side), "") for side in ("baseline", "candidate")]
    return Site(shown, node.lineno, method, receiver.flag, operation, *named_sides)


def _registered(files: Files) -> Sides:
    """The functions that are registered, by the call that made their operation and the side, or by their `route`."""
    sides: dict[tuple[ast.Call, str], str] = {}
    for file in files.values():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    _register(sides, file, decorator, f"{node.name}:{node.lineno}", files)
            elif isinstance(node, ast.Call) and len(node.args) == 1:
                _register(sides, file, node.func, f"{ast.unparse(node.args[0])}:{node.lineno}", files)
    return sides


def _register(
    sides: dict[tuple[ast.Call, str], str], file: SourceFile, decorator: ast.expr, named: str, files: Files
) -> None:
    scope = file.scope_of.get(decorator, file.tree)
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute):
        if decorator.func.attr == "route":
            sides[decorator, "route"] = named
    elif isinstance(decorator, ast.Attribute) and decorator.attr in ("baseline", "candidate"):
        operation = file.value(decorator.value, scope, files)
        if isinstance(operation, Operation):
            sides[operation.node, decorator.attr] = named
