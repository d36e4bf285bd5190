"""What does an expression in somebody's source file stand for: a client, a migration, an operation, a text? Pure.

Simple assignments are followed, in the file (`bridge = client.migration("x")`, `self.bridge = …`, `with … as`) and by
`from module import bridge` into other files of the same scan. What depends on more than that is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DEPTH = 20  # of assignments that lead to assignments


@dataclass(frozen=True, slots=True)
class Client:
    """Something that migrations come from."""


@dataclass(frozen=True, slots=True)
class Migration:
    """`flag` is None when its key cannot be read from the source."""

    flag: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """As above; `node` is the call that made it."""

    flag: str | None
    name: str | None
    node: ast.Call


Known = Client | Migration | Operation | str | None
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Files = Mapping[str, "SourceFile"]


class SourceFile:
    """One parsed file. `scope_of` tells where a name in a node is looked up. Raises SyntaxError."""

    def __init__(self, module: str, text: str) -> None:
        self.module = module
        self.tree = ast.parse(text)
        self.scope_of: dict[ast.AST, Scope] = {}
        self._parents: dict[Scope, Scope] = {}
        self._assigned: dict[tuple[Scope, str], list[ast.expr]] = {}
        self._imported: dict[str, tuple[str, str]] = {}
        self._annotated: dict[tuple[Scope, str], ast.expr] = {}
        self._enter(self.tree, self.tree)

    def value(self, node: ast.expr, scope: Scope, files: Files, depth: int = 0) -> Known:
        """None for everything that is not known."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Call):
            return self._called(node, scope, files, depth + 1)
        name = _dotted(node)
        return None if name is None else self.named(name, scope, files, depth + 1)

    def method(self, node: ast.Call, scope: Scope, files: Files) -> tuple[str, Known]:
        """Name of the method that is called, and on what."""
        if not isinstance(node.func, ast.Attribute):
            return "", None
        return node.func.attr, self.value(node.func.value, scope, files)

    def text(self, node: ast.Call, keyword: str, scope: Scope, files: Files, depth: int = 0) -> str | None:
        """The text given for the first argument, if it can be read from the source."""
        given = argument(node, 0, keyword)
        value = None if given is None else self.value(given, scope, files, depth)
        return value if isinstance(value, str) else None

    def _called(self, node: ast.Call, scope: Scope, files: Files, depth: int) -> Known:
        function = node.func
        if self._is_throwbar(function, "Client"):
            return Client()
        if not isinstance(function, ast.Attribute):
            return None
        if function.attr == "migration":
            flag = self.text(node, "key", scope, files, depth)
            known = flag is not None or isinstance(self.value(function.value, scope, files, depth), Client)
            return Migration(flag) if known else None
        receiver = self.value(function.value, scope, files, depth)
        if isinstance(receiver, Client) and function.attr == "__enter__":
            return receiver
        if function.attr == "operation" and isinstance(receiver, Migration):
            return Operation(receiver.flag, self.text(node, "name", scope, files, depth), node)
        return None

    def named(self, name: str, scope: Scope, files: Files, depth: int) -> Known:
        """The same for a name, which may have dots."""
        if depth > _DEPTH:
            return None
        owner, dot, attribute = name.partition(".")
        of_self = bool(dot) and owner in ("self", "cls")
        for place in self._outwards(scope, of_self=of_self):
            in_class = of_self and isinstance(place, ast.ClassDef)
            for each in (name, attribute) if in_class else (name,):
                annotation = self._annotated.get((place, each))
                if annotation is not None:
                    return self._of_annotation(annotation)
                assigned = self._assigned.get((place, each))
                if assigned is not None:
                    values = {self.value(value, place, files, depth) for value in assigned}
                    return values.pop() if len(values) == 1 else None
        return self._from_elsewhere(name, files, depth)

    def _from_elsewhere(self, name: str, files: Files, depth: int) -> Known:
        head, _, rest = name.partition(".")
        if head not in self._imported:
            return None
        parts = [part for part in (*self._imported[head], rest) if part]
        path = ".".join(parts).split(".")
        for cut in range(len(path) - 1, 0, -1):  # the longest beginning of it that is a module
            file = files.get(".".join(path[:cut]))
            value = None if file is None else file.named(".".join(path[cut:]), file.tree, files, depth + 1)
            if value is not None:
                return value
        return None

    def _outwards(self, scope: Scope, *, of_self: bool) -> Iterator[Scope]:
        place: Scope | None = scope
        while place is not None:
            # A function does not see the names of the class around it, but `self` does.
            if not isinstance(place, ast.ClassDef) or of_self or place is scope:
                yield place
            place = self._parents.get(place)

    def _of_annotation(self, annotation: ast.expr) -> Known:
        if self._is_throwbar(annotation, "Migration"):
            return Migration(None)
        return Client() if self._is_throwbar(annotation, "Client") else None

    def _is_throwbar(self, node: ast.expr, name: str) -> bool:
        dotted = _dotted(node) or ""
        head, _, rest = dotted.partition(".")
        module, original = self._imported.get(head, ("", ""))
        return module.partition(".")[0] == "throwbar" and name in (original if not rest else "", rest)

    def _enter(self, node: ast.AST, inside: Scope) -> None:
        outside = getattr(node, "decorator_list", ())  # run before there is anything inside
        for child in ast.iter_child_nodes(node):
            scope = self._parents[inside] if child in outside else inside
            self.scope_of[child] = scope
            self._note(child, scope)
            if isinstance(child, Scope):
                self._parents[child] = scope
                self._enter(child, child)
            else:
                self._enter(child, scope)

    def _note(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._assign(node.target, node.value, scope)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._annotated[scope, node.target.id] = node.annotation
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assign(node.optional_vars, node.context_expr, scope)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            self._annotated[scope, node.arg] = node.annotation
        else:
            self._note_import(node)

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            self._imported |= {
                each.asname or each.name.partition(".")[0]: (
                    each.name if each.asname else each.name.partition(".")[0],
                    "",
                )
                for each in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            module = self._absolute(node)
            self._imported |= {each.asname or each.name: (module, each.name) for each in node.names}

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        name = _dotted(target)
        if name is None:
            return
        place = scope
        if name.startswith(("self.", "cls.")):
            place = next(
                (each for each in self._outwards(scope, of_self=True) if isinstance(each, ast.ClassDef)), scope
            )
        self._assigned.setdefault((place, name), []).append(value)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.module.split(".")[: -node.level]
        return ".".join([*parents, *([node.module] if node.module else [])])


def argument(node: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """What is given for an argument, by position or by name."""
    if len(node.args) > position:
        return node.args[position]
    return next((each.value for each in node.keywords if each.arg == keyword), None)


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return None if head is None else f"{head}.{node.attr}"
    return None
