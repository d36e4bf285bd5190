"""Sample: what is known of one operation at one look."""

from dataclasses import dataclass

from controlplane.domain.arm import Arm
from controlplane.domain.observation import Evidence
from controlplane.domain.share import FULL


@dataclass(frozen=True, slots=True)
class Sample:
    """The last window of both sides, and the attempt's evidence.

    `silent_seconds` is the age of the newest sealed bucket with any call; None when there never was one.
    `exposed_seconds` is how long the share has been in force. `baked` says that the stage has lasted its time,
    `asks_for_proof` that it may only be left by a candidate that is proven to be no worse. `operations` is among how
    many of the flag its error probabilities are divided. `sealing_seconds` is how old the newest sealed bucket may be
    when everything goes well.
    """

    operation: str
    baseline_name: str
    candidate_name: str
    share: int
    baseline: Arm
    candidate: Arm
    evidence: Evidence
    silent_seconds: float | None
    exposed_seconds: float = 0.0
    baked: bool = False
    asks_for_proof: bool = False
    operations: int = 1
    sealing_seconds: float = 40.0

    @property
    def stage_keys(self) -> tuple[int, int]:
        """Keys of baseline and candidate seen at the share in force."""
        return self.evidence.keys_at.get(self.share, (0, 0))

    @property
    def has_control(self) -> bool:
        """Both sides were drawn by a share in this attempt, and still are: not at 100 %, not where only rules serve."""
        return 0 < self.share < FULL and self.evidence.baseline_keys > 0 and self.evidence.candidate_keys > 0
