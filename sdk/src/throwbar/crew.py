"""Who makes the second calls? Two threads of this process, which take what they can and never hold a caller up."""

from __future__ import annotations

import atexit
import os
import threading
from _queue import SimpleQueue
from collections import deque
from collections.abc import Callable

from throwbar.engine import log

THREADS = 2
ROOM = 100

Job = Callable[[], None]


class Crew:
    """A bounded queue and its threads, which start with the first job and die with the process.

    What comes when the queue is full is refused. An offer waits for nobody and takes no lock of ours, so that a
    signal handler or a finaliser may make one in the middle of another.
    """

    def __init__(self, threads: int = THREADS, room: int = ROOM) -> None:
        self._size = (threads, room)
        self._closed = False
        self.renew()

    def renew(self) -> None:
        """A new process: no threads yet, and none of the jobs, which are the parent's."""
        threads, room = self._size
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._room = deque([None] * room)  # one for each job that may still come; `pop` is atomic
        self._absent = deque(range(threads))  # the threads that are not started

    @property
    def has_room(self) -> bool:
        """Whether an offer made now might be taken."""
        return not self._closed and len(self._room) > 0

    def offer(self, job: Job) -> bool:
        """Whether it will be done, sooner or later."""
        if self._closed or (self._absent and not self._start()):
            return False
        try:
            self._room.pop()
        except IndexError:
            return False
        self._jobs.put(job)
        return True

    def close(self) -> None:
        """Refuse what comes and skip what waits. What is being done goes on: a thread cannot be stopped."""
        self._closed = True

    def _start(self) -> bool:
        """Start all that are absent. False when there is not one thread to be had."""
        while self._absent:
            try:
                number = self._absent.popleft()
            except IndexError:  # somebody else was quicker, and starts it
                break
            thread = threading.Thread(target=self._work, name=f"throwbar-shadow-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads: the limit, or the end of the interpreter
                self._absent.append(number)
                return len(self._absent) < self._size[0]
        return True

    def _work(self) -> None:
        jobs, room = self._jobs, self._room  # a fork gives the child others
        while True:
            job = jobs.get()
            room.append(None)
            if not self._closed:
                try:
                    job()
                except BaseException:  # noqa: BLE001 - the thread must outlive any bug of ours
                    log.exception("an error inside the SDK; a second call was not counted")
            del job  # or its arguments would live until the next one


crew = Crew()
atexit.register(crew.close)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=crew.renew)
