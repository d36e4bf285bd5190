"""Where it is kept. SQLAlchemy lives here and nowhere else; rules live elsewhere."""

from controlplane.store.unit_of_work import Store, UnitOfWork, open_store

__all__ = ["Store", "UnitOfWork", "open_store"]
