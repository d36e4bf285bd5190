"""Restoring: what has to be done once a database stands where a backup had it."""

from controlplane.domain.audit import Action, Change
from controlplane.store import Store
from controlplane.usecases.changing import Cause
from controlplane.usecases.recording import record
from controlplane.usecases.secrets import random_source
from controlplane.usecases.spreading import skip_to_the_end

RESTORED = "the database was restored: it may have been told already"


def renew_sources(store: Store, cause: Cause) -> list[str]:
    """Let services obey the versions of this database though they have seen higher ones; the environments' names.

    Within one source a service never goes back to a lower version. So after a restore it would go on with what it has,
    deaf to every change, until the versions have caught up: a brake would not reach it. Webhooks are told of nothing
    that the backup has: they were told when it happened.
    """
    with store.writing() as uow:
        found = uow.environments.all()
        skip_to_the_end(uow, RESTORED)
        for each in found:
            source = random_source()
            change = Change("source", each.source, source)
            record(uow, each.name, cause, Action.ENVIRONMENT_RESTORE, change, brake=True)
            uow.environments.set_source(each, source)
        uow.commit()
    return [each.name for each in found]
