"""What can go wrong, as a tree. No error here knows HTTP.

ThrowbarError
├── Malformed           what came cannot be read at all
├── InvalidInput        fields that cannot be accepted, all of them at once
├── NotFound            the thing named does not exist
├── AlreadyExists       the name is taken
├── Refused             right input, wrong moment: the state forbids it
├── StaleVersion        somebody changed it in the meantime
├── NotSignedIn         nobody knows who is asking
├── NotAllowed          known, but the role is too small
│   └── StaleForm       known, by another session than the form's
├── TooManyTries        slow down
├── ProviderFailed      an identity provider does not answer, or not as it must
├── LeaseLost           another scheduler has taken over
├── SchemaMismatch      the database is not of this version
└── Unreachable         the database does not answer
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be accepted: its path (`plan.stages.1.percent`) and what to do about it."""

    field: str
    message: str


class ThrowbarError(Exception):
    """Root of everything this program raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Malformed(ThrowbarError):
    """What came is not JSON, or a header that is none; no field can be named."""


class InvalidInput(ThrowbarError):
    """Nothing was changed; `errors` names each field."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors

    def within(self, part: str) -> "InvalidInput":
        """As whoever sent that part of a flag alone reads it: `plan.stages` is `stages`, what is beside it stays."""
        return InvalidInput(
            tuple(FieldError(each.field.removeprefix(f"{part}."), each.message) for each in self.errors)
        )


class NotFound(ThrowbarError):
    """The thing named does not exist here."""


class AlreadyExists(ThrowbarError):
    """The name is taken."""


class Refused(ThrowbarError):
    """The state of the flag or its rollout forbids it now."""


class StaleVersion(ThrowbarError):
    """The caller changed an older version than the one in force."""

    def __init__(self, flag: str, given: int, current: int, what: str = "flag") -> None:
        super().__init__(f"{what} '{flag}' is at version {current}, you changed {given}: reload and try again")
        self.current = current


class NotSignedIn(ThrowbarError):
    """No valid token or session came with the request."""


class NotAllowed(ThrowbarError):
    """The caller is known, but may not do this."""


class StaleForm(NotAllowed):
    """A form of a session that is over; the one who sends it may be the same."""


class TooManyTries(ThrowbarError):
    """Too many failed sign-ins; `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"too many tries to sign in: try again in {retry_after} second{'s' if retry_after > 1 else ''}"
        )
        self.retry_after = retry_after


class ProviderFailed(ThrowbarError):
    """The identity provider does not answer, or what it says cannot be trusted."""


class LeaseLost(ThrowbarError):
    """Another scheduler acts now; whatever this one was doing is undone."""


class SchemaMismatch(ThrowbarError):
    """The database belongs to another version of the program."""


class Unreachable(ThrowbarError):
    """The database does not answer."""

    @property
    def reason(self) -> str:
        """The database's own words, on one line. For the operator: they may name hosts and files."""
        cause = getattr(self.__cause__, "orig", self.__cause__)
        return " ".join(str(cause).split())
