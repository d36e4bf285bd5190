"""The metronome. APScheduler lives here. It decides nothing: the database is the truth, a missed beat only delays."""

from controlplane.scheduler.jobs import Duties
from controlplane.scheduler.loop import Scheduler, holder_name

__all__ = ["Duties", "Scheduler", "holder_name"]
