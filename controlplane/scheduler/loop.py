"""When is what done? Start it after any fork: its threads do not survive one."""

import logging
import os
import secrets
import socket

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from controlplane.scheduler.jobs import Duties

HEARTBEAT_SECONDS = 1.0  # a third of the lease
PACK_SECONDS = 2.0
DELIVER_SECONDS = 1.0
FORGET_SECONDS = 600.0


class Scheduler:
    """Beats until stopped. The jobs live in memory: nothing of the schedule is worth keeping."""

    def __init__(self, duties: Duties, tick_seconds: float) -> None:
        self._duties = duties
        self._tick_seconds = tick_seconds
        # One thread a job: none of them can keep another from its beat.
        self._beats = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(5)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def start(self) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat skipped by a long tick is no news
        self._duties.heartbeat()
        self._every(HEARTBEAT_SECONDS, self._duties.heartbeat)
        self._every(self._tick_seconds, self._duties.tick)
        self._every(PACK_SECONDS, self._duties.pack)
        self._every(DELIVER_SECONDS, self._duties.deliver)
        self._every(FORGET_SECONDS, self._duties.forget)
        self._beats.start()

    def stop(self) -> None:
        """Returns when running jobs are over and the lease is given back."""
        self._beats.shutdown(wait=True)
        self._duties.stop()

    def _every(self, seconds: float, job: object) -> None:
        self._beats.add_job(job, "interval", seconds=seconds)


def holder_name() -> str:
    """Host and process for people; a random end, since both come back after a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
