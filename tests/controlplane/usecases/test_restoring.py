"""Is a restored database a new source to services, in every environment, and is that written down?"""

from controlplane.domain.audit import Action
from controlplane.store.audit import Filter
from controlplane.usecases.environments import create_environment, set_environment
from controlplane.usecases.restoring import renew_sources
from tests.builders import a_cause


def told(store):
    with store.reading() as uow:
        return {each.name: (each.source, each.version) for each in uow.environments.all()}


def test_every_environment_has_a_new_source_and_the_version_that_was_restored(store):
    create_environment(store, "staging", a_cause())
    before = told(store)

    assert renew_sources(store, a_cause(reason="from backup.db")) == ["production", "staging"]

    after = told(store)
    assert all(after[name][0] != before[name][0] and after[name][1] == before[name][1] for name in before)
    with store.reading() as uow:
        entries = [uow.audit.newest(each.id, Filter(), 1)[0] for each in uow.environments.all()]
    assert {(entry.action, entry.reason) for entry in entries} == {(Action.ENVIRONMENT_RESTORE, "from backup.db")}


def test_an_environment_that_asks_why_does_not_stand_in_its_way(store):
    set_environment(store, "production", a_cause(), require_reason=True)

    renew_sources(store, a_cause(reason=""))

    assert told(store)["production"][0]
