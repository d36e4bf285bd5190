"""What somebody typed into a form while their session ended: carried through the sign-in, and never sent by itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

TO = "kept_to"
PREFIX = "kept."
_NEVER = frozenset({"csrf_token", "password", "current"})  # secrets are typed anew
_OURS = re.compile(r"/(?![/\\])[!-~]*")  # browsers drop tabs and line ends: "/<tab>/evil.example" is another site
_UNTOLD = frozenset({"expected", "do"})


class Form(Protocol):
    """A form as Werkzeug reads it."""

    def items(self, multi: bool = ...) -> Any: ...  # noqa: ANN401, FBT001 - Werkzeug's own signature


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a form was going, and its fields. `told` is what a person sees of them."""

    to: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def told(self) -> Mapping[str, str]:
        return {name: value for name, value in self.fields if value and name not in _UNTOLD}


def keep(to: str, form: Form) -> Kept:
    return Kept(to, tuple((name, value) for name, value in form.items(multi=True) if name not in _NEVER))


def is_ours(address: str) -> bool:
    """Whether it stays on this site: a link to the sign-in must not lead on to somebody else's."""
    return bool(_OURS.fullmatch(address))


def carried(form: Form) -> Kept | None:
    """What came along with a sign-in. Only an address of ours is gone to."""
    given = [(name, value) for name, value in form.items(multi=True)]
    to = next((value for name, value in given if name == TO), "")
    if not is_ours(to):
        return None
    fields = ((name.removeprefix(PREFIX), value) for name, value in given if name.startswith(PREFIX))
    return Kept(to, tuple((name, value) for name, value in fields if name not in _NEVER))
