"""How does a rollout look on an axis of time? Pure: what was lived and is planned → places in percent of the width."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.audit import Action
from controlplane.domain.calendar import Calendar, Freeze
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.domain.schedule import Stay, closed, planned
from controlplane.domain.share import to_percent
from controlplane.usecases.history import Move
from web.ui.moments import moment, percent

MOST_NIGHTS = 150  # closed hours that can still be told apart
ROOM_FOR_LABEL = 7.0  # percent of the width, which a phone still shows a percent in
ROOM_FOR_MODE = 18.0  # and what else happens to a call
LIVE = (State.RUNNING, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that lasts: `x` and `width` in percent of the picture, `style` names what it is."""

    x: float
    width: float
    style: str
    label: str
    sentence: str
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars of the stages, shades of what is closed, and `now` in percent of the width; `when` words each stage."""

    stages: tuple[Piece, ...]
    when: Mapping[int, str]
    shades: tuple[Piece, ...]
    freezes: tuple[Piece, ...]
    now: float
    begins: str
    ends: str


def timeline(
    flag: Flag, moves: Sequence[Move], freezes: Sequence[Freeze], modes: Sequence[str], now: datetime
) -> Timeline | None:
    """None where no stage was lived in this attempt and none is planned. `modes` is a word for each stage, or ""."""
    if flag.plan is None:
        return None
    ahead = planned(flag.plan, flag.rollout, Calendar(flag.plan.windows, tuple(freezes)), now)
    past = _lived(flag, moves, now)
    if not past and not ahead:
        return None
    stays = [*past, *(_ahead(ahead, now))]
    begins = min(stay.since for stay in stays)
    ends = max(*(stay.until or stay.since + timedelta(days=1) for stay in stays), now, begins + timedelta(minutes=1))
    axis = _Axis(begins, ends)
    nights = closed(Calendar(flag.plan.windows), begins, ends)
    return Timeline(
        tuple(_stage(flag, stay, axis, modes, now) for stay in stays),
        _worded(stays, now),
        tuple(axis.piece(since, until, "closed") for since, until in nights) if len(nights) <= MOST_NIGHTS else (),
        tuple(_frozen(freezes, axis, now)),
        axis.at(now),
        moment(begins, now),
        moment(ends, now),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    begins: datetime
    ends: datetime

    def at(self, when: datetime) -> float:
        place = (when - self.begins) / (self.ends - self.begins)
        return round(100 * min(1.0, max(0.0, place)), 1)

    def piece(self, since: datetime, until: datetime, style: str, label: str = "", sentence: str = "") -> Piece:
        x = self.at(since)
        return Piece(x, round(self.at(until) - x, 1), style, label, sentence)


def _lived(flag: Flag, moves: Sequence[Move], now: datetime) -> list[Stay]:
    """The stages of the newest attempt, by its audit entries; those who resume at a stage have stayed at it."""
    found: list[Stay] = []
    for move in moves:
        if not _moves(move.after):
            continue
        if move.action is Action.ROLLOUT_START:
            found = []
        elif found and found[-1].until is None:
            found[-1] = Stay(found[-1].stage, found[-1].since, move.at)
        if _enters(move.after):
            stage = move.after.get("rollout.stage", found[-1].stage if found else 0)
            found.append(Stay(stage, move.at, None))
    return _joined(found, now if flag.rollout.state in LIVE else None)


def _moves(told: Mapping[str, Any]) -> bool:
    return "rollout.stage" in told or "rollout.entered_at" in told


def _enters(told: Mapping[str, Any]) -> bool:
    """Whether a stage begins with this entry: not where it ends the attempt, nor where a start is only scheduled."""
    over = {State.ROLLED_BACK, State.LOCKED, State.ABORTED, State.COMPLETED, State.FINISHED, State.IDLE}
    return told.get("rollout.state") not in over


def _joined(stays: Sequence[Stay], now: datetime | None) -> list[Stay]:
    found: list[Stay] = []
    for stay in stays:
        if found and found[-1].stage == stay.stage:
            found[-1] = Stay(stay.stage, found[-1].since, stay.until)
        else:
            found.append(stay)
    return [Stay(each.stage, each.since, each.until or now) for each in found if each.until or now]


def _ahead(stays: Sequence[Stay], now: datetime) -> Iterator[Stay]:
    """What is planned from now on: of the present stage the rest."""
    for stay in stays:
        if stay.until is None or stay.until > now:
            yield Stay(stay.stage, max(stay.since, now), stay.until)


def _style(stay: Stay, until: datetime, now: datetime) -> str:
    return "planned" if stay.since >= now else "present" if until >= now else "past"


def _stage(flag: Flag, stay: Stay, axis: _Axis, modes: Sequence[str], now: datetime) -> Piece:
    plan = flag.plan
    share = to_percent(plan.stage(stay.stage).share) if plan else 0
    style = _style(stay, stay.until or axis.ends, now)
    mode = modes[stay.stage] if stay.stage < len(modes) else ""
    named = f"{percent(share)} {mode}" if mode else percent(share)
    piece = axis.piece(stay.since, stay.until or axis.ends, style, named, f"{named} {_when(stay, style, now)}")
    room = ROOM_FOR_MODE if mode else ROOM_FOR_LABEL
    label = named if piece.width >= room else percent(share) if piece.width >= ROOM_FOR_LABEL else ""
    return Piece(piece.x, piece.width, style, label, piece.sentence, height=round(8 + 0.36 * share, 1))


def _worded(stays: Sequence[Stay], now: datetime) -> dict[int, str]:
    """Stage → when it was lived or is planned; of the present one only since when."""
    found: dict[int, list[str]] = {}
    for stay in stays:
        style = _style(stay, stay.until or now, now)
        if style != "planned" or stay.since > now or stay.stage not in found:
            found.setdefault(stay.stage, []).append(_when(stay, style, now))
    return {stage: ", ".join(words) for stage, words in found.items()}


def _when(stay: Stay, style: str, now: datetime) -> str:
    if style == "planned":
        until = f" to {moment(stay.until, now)}" if stay.until else ""
        # What follows from this moment would read otherwise every second, and take the focus from whoever is there.
        return f"planned from {moment(stay.since, now)}{until}" if stay.since > now else f"planned{until}"
    return f"since {moment(stay.since, now)}" if style == "present" else _span(stay, now)


def _span(stay: Stay, now: datetime) -> str:
    if not stay.until:
        return ""
    today = "today " if stay.since.date() < stay.until.date() == now.date() else ""
    return f"from {moment(stay.since, now)} to {today}{moment(stay.until, now)}"


def _frozen(freezes: Sequence[Freeze], axis: _Axis, now: datetime) -> Iterator[Piece]:
    for each in freezes:
        if each.starts_at < axis.ends and each.ends_at > axis.begins:
            words = f"{each.name}: frozen from {moment(each.starts_at, now)} to {moment(each.ends_at, now)}"
            yield axis.piece(each.starts_at, each.ends_at, "frozen", each.name, words)
