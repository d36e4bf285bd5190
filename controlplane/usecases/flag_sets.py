"""Flag sets: what services of other makes are told."""

from controlplane.domain.flag_set import FlagSet, compile_flag_set
from controlplane.evaluator import fault_of
from controlplane.store import Store


def current_flag_set(store: Store, environment: str) -> FlagSet:
    """The flagd definition of docs/protocol.md, and what is not in it. Raises NotFound."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        return compile_flag_set(row.name, row.source, row.version, uow.flags.answering(row.id), fault_of)
