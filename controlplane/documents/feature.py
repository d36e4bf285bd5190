"""A feature as people write it: its variants, who gets which, and what it is moved between, if it is."""

from typing import Any, Literal

from pydantic import Field

from controlplane.documents.definition import Definition
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.feature import DEFAULT_OPERATION, Feature
from controlplane.domain.flag import Flag, Operation

FIELDS = ("variants", "default_variant", "targeting")  # which a migration does not have


class FeatureDocument(Definition):
    """`baseline` and `candidate` are variants, and the baseline is the default one; without them nothing is moved."""

    kind: Literal["feature"]
    variants: dict[str, Any] = Field(description="name → a value; all of one type: boolean, string, number or object")
    default_variant: str | None = Field(default=None, description="the baseline, where there is one")
    targeting: dict[str, Any] | None = Field(default=None, description="JsonLogic, with the operators of flagd")
    baseline: str | None = None
    candidate: str | None = None

    def to_domain(self) -> Flag:
        """Raises InvalidInput where the sides contradict each other."""
        if errors := tuple(self._contradictions()):
            raise InvalidInput(errors)
        common = self.common()
        if self.candidate and not common["operations"]:
            common["operations"] = {DEFAULT_OPERATION: Operation()}
        return Flag(
            **common,
            baseline=self.default_variant or self.baseline or "",
            candidate=self.candidate or "",
            feature=Feature(self.variants, self.targeting or None),
        )

    def _contradictions(self) -> list[FieldError]:
        default = self.default_variant or self.baseline
        if default is None:
            return [FieldError("default_variant", "is missing: name the variant that nobody has to be targeted for")]
        if self.baseline not in {None, default}:
            message = f"is '{self.default_variant}', and the baseline '{self.baseline}': they are one and the same"
            return [FieldError("default_variant", message)]
        if self.baseline and not self.candidate:
            return [FieldError("candidate", "is missing: name the variant to move to, or leave the baseline out")]
        return []


def feature_fields(flag: Flag, feature: Feature) -> dict[str, Any]:
    """What a feature has in the place of a migration's backends."""
    fields: dict[str, Any] = {
        "variants": dict(feature.variants),
        "default_variant": flag.baseline,
        "targeting": feature.targeting and dict(feature.targeting),
    }
    return fields | ({"baseline": flag.baseline, "candidate": flag.candidate} if flag.candidate else {})
