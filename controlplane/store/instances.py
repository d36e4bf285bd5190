"""Instances: which processes poll and report, the last report of each, and the snapshot version it obeys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from controlplane.store.tables import instances

NEVER = -1  # the sequence of a process that polls and has not reported: every report is newer


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service. `sequence` is the newest report recorded: older ones are repetitions.

    `breakers` and `overrides` are what that report told of them (docs/protocol.md): each report replaces them.
    `sites` come with the first one and now and then, and stay.
    """

    instance: str
    service: str
    sdk: str
    sequence: int
    source: str
    version: int
    first_seen_at: datetime
    last_seen_at: datetime
    breakers: Sequence[Mapping[str, Any]] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    sites: Sequence[Mapping[str, Any]] = ()

    @property
    def has_reported(self) -> bool:
        return self.sequence > NEVER


@dataclass(frozen=True, slots=True)
class Voice:
    """What the last report of a process told of its breakers."""

    instance: str
    service: str
    breakers: Sequence[Mapping[str, Any]] = ()


_CHANGING = ("service", "sdk", "sequence", "source", "version", "last_seen_at")
_KEY = ("environment_id", "instance")
_TOLD = ("breakers", "overrides", "sites")


class Instances:
    """The processes of each environment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def named(self, environment_id: int, names: Iterable[str]) -> dict[str, Instance]:
        """The known ones among `names`; locked, so that two replicas cannot record one report twice."""
        wanted = sorted(set(names))
        query = (
            select(instances)
            .where(instances.c.environment_id == environment_id, instances.c.instance.in_(wanted))
            .order_by(instances.c.instance)
            .with_for_update()
        )
        return {row.instance: _instance(row) for row in self._connection.execute(query)}

    def all(self, environment_id: int) -> list[Instance]:
        query = select(instances).where(instances.c.environment_id == environment_id)
        rows = self._connection.execute(query.order_by(instances.c.service, instances.c.instance))
        return [_instance(row) for row in rows]

    def sites(self, environment_id: int, names: Iterable[str]) -> dict[str, Sequence[Mapping[str, Any]]]:
        """Instance → where its code registers operations, as far as it told."""
        columns = instances.c
        query = select(columns.instance, columns.sites).where(columns.environment_id == environment_id)
        rows = self._connection.execute(query.where(columns.instance.in_(sorted(set(names)))))
        return {row.instance: tuple(row.sites or ()) for row in rows}

    def voices(self, environment_id: int, since: datetime) -> list[Voice]:
        """Those heard of since then."""
        columns = instances.c
        query = select(columns.instance, columns.service, columns.breakers)
        query = query.where(columns.environment_id == environment_id, columns.last_seen_at >= since)
        return [Voice(row.instance, row.service, tuple(row.breakers or ())) for row in self._connection.execute(query)]

    def number(self, environment_id: int) -> int:
        """How many have reported, as far as they are remembered."""
        here = (instances.c.environment_id == environment_id, instances.c.sequence > NEVER)
        query = select(func.count()).select_from(instances).where(*here)
        return int(self._connection.execute(query).scalar_one())

    def on_version(self, environment_id: int, source: str, version: int) -> tuple[int, int]:
        """How many are remembered, and how many of them obey this version or a newer one."""
        here, columns = instances.c.environment_id == environment_id, instances.c
        query = select(func.count()).select_from(instances).where(here)
        obeying = query.where(columns.source == source, columns.version >= version)
        counts = (self._connection.execute(each).scalar_one() for each in (query, obeying))
        number, newest = map(int, counts)
        return number, newest

    def add(self, environment_id: int, new: list[Instance]) -> None:
        """In the order of their names. One that another replica has added meanwhile stays as it is there."""
        if not new:
            return
        is_sqlite = self._connection.dialect.name == "sqlite"
        given = sqlite.insert(instances) if is_sqlite else postgresql.insert(instances)
        rows = [_values(environment_id, each) for each in sorted(new, key=lambda each: each.instance)]
        self._connection.execute(given.on_conflict_do_nothing(index_elements=_KEY), rows)

    def save(self, environment_id: int, known: list[Instance]) -> None:
        if not known:
            return
        statement = (
            update(instances)
            .where(
                instances.c.environment_id == bindparam("at_environment"), instances.c.instance == bindparam("named")
            )
            .values({name: bindparam(name) for name in (*_CHANGING, *_TOLD)})
        )
        places = [{"at_environment": environment_id, "named": each.instance} for each in known]
        self._connection.execute(statement, [{**_changing(each), **at} for each, at in zip(known, places, strict=True)])

    def forget_before(self, instant: datetime) -> None:
        self._connection.execute(delete(instances).where(instances.c.last_seen_at < instant))


def _values(environment_id: int, each: Instance) -> dict[str, Any]:
    fixed = {"environment_id": environment_id, "instance": each.instance, "first_seen_at": each.first_seen_at}
    return {**fixed, **_changing(each)}


def _changing(each: Instance) -> dict[str, Any]:
    told = {"breakers": list(each.breakers), "overrides": dict(each.overrides), "sites": list(each.sites)}
    return {**{name: getattr(each, name) for name in _CHANGING}, **told}


def _instance(row: Any) -> Instance:  # noqa: ANN401 - a row of `instances`
    fields = ("instance", "service", "sdk", "sequence", "source", "version", "first_seen_at", "last_seen_at")
    known = {name: getattr(row, name) for name in fields}
    return Instance(
        **known, breakers=tuple(row.breakers or ()), overrides=row.overrides or {}, sites=tuple(row.sites or ())
    )
