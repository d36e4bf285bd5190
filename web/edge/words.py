"""Which words and numbers may stand in a report? Bounded, so that whatever passes can be kept."""

from typing import Annotated, Literal

from msgspec import Meta

from controlplane.domain.histogram import HIGHEST, LOWEST

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and no log should meet an escape sequence

Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=PRINTABLE)]
LongWord = Annotated[str, Meta(max_length=300, pattern=PRINTABLE)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Instant = Annotated[float, Meta(ge=0, le=1 << 33)]  # seconds since the epoch, to the year 2242
Side = Literal["baseline", "candidate"]
Histogram = dict[Annotated[int, Meta(ge=LOWEST, le=HIGHEST)], Count]
Ratios = dict[Annotated[int, Meta(ge=-HIGHEST, le=HIGHEST)], Count]
Tally = Annotated[dict[Annotated[str, Meta(max_length=100, pattern=PRINTABLE)], Count], Meta(max_length=50)]
