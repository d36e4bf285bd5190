from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from controlplane.documents.flag import parse_flag
from controlplane.domain.errors import AlreadyExists, NotFound, StaleVersion
from controlplane.domain.flag import Operation
from controlplane.domain.rollout import Rollout, State
from tests.builders import NOW, a_flag_document

FLAG = replace(parse_flag(a_flag_document()), version=1, created_at=NOW, updated_at=NOW)


@pytest.fixture
def uow(store):
    with store.writing() as opened:
        opened.flags.add(1, FLAG)
        yield opened


def test_a_flag_comes_back_as_it_was_saved(uow):
    lived = replace(
        FLAG,
        version=2,
        rolled_back=True,
        operations={"echo": Operation(5000, rolled_back=True), "simple_predict": Operation(1)},
        rollout=Rollout(State.ROLLED_BACK, 2, NOW, True, 3, 1, NOW),
    )

    uow.flags.save(1, FLAG, lived)

    assert uow.flags.get(1, "dspex-bridge") == lived


def test_saving_over_a_version_that_is_gone_is_refused(uow):
    uow.flags.save(1, FLAG, replace(FLAG, version=2))

    with pytest.raises(StaleVersion) as stale:
        uow.flags.save(1, FLAG, replace(FLAG, version=2, owner="somebody"))

    assert stale.value.current == 2
    assert uow.flags.get(1, "dspex-bridge").owner == "ml-platform"


def test_a_key_is_taken_once_an_environment(uow):
    with pytest.raises(AlreadyExists):
        uow.flags.require_free(1, "dspex-bridge")
    with pytest.raises(IntegrityError):
        uow.flags.add(1, FLAG)


def test_another_environment_may_use_the_same_key(uow):
    other = uow.environments.add("staging", "s", NOW)

    uow.flags.require_free(other.id, "dspex-bridge")
    uow.flags.add(other.id, replace(FLAG, owner="somebody"))

    assert uow.flags.get(1, "dspex-bridge").owner == "ml-platform"


def test_an_archived_flag_keeps_its_key_and_is_listed_only_when_asked_for(uow):
    uow.flags.save(1, FLAG, replace(FLAG, version=2, archived_at=NOW))

    with pytest.raises(AlreadyExists, match=r"\(archived\)"):
        uow.flags.require_free(1, "dspex-bridge")
    assert uow.flags.all(1) == []
    assert [flag.key for flag in uow.flags.all(1, archived=True)] == ["dspex-bridge"]
    assert uow.flags.keys(1) == {"dspex-bridge"}


def test_flags_are_listed_by_key(uow):
    for key in ("zeta", "alpha"):
        uow.flags.add(1, replace(FLAG, key=key))

    assert [flag.key for flag in uow.flags.all(1)] == ["alpha", "dspex-bridge", "zeta"]


def test_every_version_can_be_read_again(uow):
    before = FLAG
    for version in (2, 3):
        after = replace(before, version=version, owner=f"owner {version}")
        uow.flags.save(1, before, after)
        before = after

    assert [uow.flags.definition_at(1, FLAG.key, version).owner for version in (1, 2, 3)] == [
        "ml-platform",
        "owner 2",
        "owner 3",
    ]
    with pytest.raises(NotFound, match="no version 4"):
        uow.flags.definition_at(1, FLAG.key, 4)


def test_what_does_not_exist_is_not_found(uow):
    with pytest.raises(NotFound):
        uow.flags.get(1, "other")
    with pytest.raises(NotFound):
        uow.environments.get("other")
    with pytest.raises(NotFound):
        uow.flags.definition_at(1, "other", 1)
