"""What a pipeline attaches to a migration, and how it is answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, StringConstraints

from controlplane.documents.fields import Document, Text
from controlplane.domain.attachment import Attachment


def _link(value: str) -> str:
    """Shown as a link, so nothing but a page may hide behind it."""
    if value and not value.startswith(("https://", "http://")):
        message = "must begin with https:// or http://"
        raise ValueError(message)
    return value


Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Link = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_link)]


class AttachmentDocument(Document):
    """A run of a test suite: which commit, how it went, and where it can be read."""

    commit: Short
    result: Literal["passed", "failed"]
    suite: Short = "tests"
    link: Link = ""
    notes: Text = ""

    def to_domain(self, by: str, at: datetime) -> Attachment:
        return Attachment(self.suite, self.result == "passed", self.commit, self.link, self.notes, by, at)


def attachment_document(each: Attachment) -> dict[str, Any]:
    return {
        "id": each.id,
        "suite": each.suite,
        "result": "passed" if each.passed else "failed",
        "commit": each.commit,
        "link": each.link,
        "notes": each.notes,
        "by": each.by,
        "at": each.at.isoformat(),
    }
