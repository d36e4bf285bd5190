"""What comes with an act: its reason, and what it is about."""

from pydantic import Field

from controlplane.documents.fields import Document, Instant, Name, Switch, Text, Whole
from controlplane.domain.flag import Side

NEWEST = 2**63 - 1  # what a database can count to


class ReasonDocument(Document):
    """Enable, disable and every act on a rollout."""

    reason: Text = ""


class StartDocument(ReasonDocument):
    """`at` null: now, or when the plan says."""

    at: Instant | None = None


class RollBackDocument(ReasonDocument):
    """`operation` null rolls back the whole flag."""

    operation: Name | None = None


class ConfirmedDocument(ReasonDocument):
    """`confirm`: the flag's key, where no way leads back."""

    confirm: Name = ""


class FinishDocument(ConfirmedDocument):
    """`despite_criteria`: also while success criteria that the checklist asks for have not passed."""

    despite_criteria: Switch = False


class ActDocument(RollBackDocument, ConfirmedDocument):
    """Whatever an act on a rollout may come with; each takes its own."""


class ReconciledDocument(ReasonDocument):
    """Writes that a side's store missed and has now. `writes` null: all that are known; `operation` null: of any."""

    side: Side
    writes: Whole | None = Field(default=None, ge=1, le=NEWEST)
    operation: Name | None = None


class CopyPlanDocument(ReasonDocument):
    """The plan of which other flag."""

    from_flag: Name = Field(alias="from")


class RevertDocument(ReasonDocument):
    """Back to the definition of an earlier version."""

    to_version: Whole = Field(ge=1, le=NEWEST)
