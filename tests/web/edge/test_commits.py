"""Do many reports share a transaction, and does each hear the truth about its own?"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from controlplane.usecases.telemetry import Incoming
from tests.builders import a_report
from web.edge.commits import AT_ONCE, MOST_WAITING, GroupCommit, NotDurable

NEWEST = {"production": ("source", 7)}


class Journal:
    """Records batches; the gate holds the first of them up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.fails = False

    def record(self, batch: Sequence[Incoming]) -> dict[str, tuple[str, int]]:
        self.begun.set()
        self.gate.wait(60)
        if self.fails:
            self.fails = False
            raise OSError
        self.batches.append([report.sequence for report in batch])
        return NEWEST


def run(story: Callable[[GroupCommit, Journal], Awaitable[Any]]) -> tuple[Any, Journal]:
    journal = Journal()

    async def told() -> Any:
        with ThreadPoolExecutor(1) as writer:
            commits = GroupCommit(journal.record, writer)
            running = asyncio.create_task(commits.run())
            result = await story(commits, journal)
            journal.gate.set()
            commits.close()
            await asyncio.wait_for(running, 60)
            return result

    return asyncio.run(told()), journal


async def sent(commits: GroupCommit, journal: Journal, number: int) -> list[asyncio.Task[tuple[str, int]]]:
    """That many reports, of which the first is being recorded and the others wait."""
    tasks = [asyncio.create_task(commits.add(a_report(sequence=1)))]
    await asyncio.to_thread(journal.begun.wait, 60)
    tasks += [asyncio.create_task(commits.add(a_report(sequence=each))) for each in range(2, number + 1)]
    await asyncio.sleep(0)
    return tasks


def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        tasks = await sent(commits, journal, 50)
        journal.gate.set()
        return await asyncio.gather(*tasks)

    answers, journal = run(story)

    assert answers == [("source", 7)] * 50
    assert journal.batches == [[1], list(range(2, 51))]


def test_a_commit_is_bounded() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        tasks = await sent(commits, journal, 1 + AT_ONCE + 1)
        journal.gate.set()
        return await asyncio.gather(*tasks)

    _, journal = run(story)

    assert [len(batch) for batch in journal.batches] == [1, AT_ONCE, 1]


def test_a_failed_commit_fails_its_own_reports_only() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        journal.fails = True
        tasks = await sent(commits, journal, 3)
        journal.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers, journal = run(story)

    assert [type(answer) for answer in answers] == [NotDurable, tuple, tuple]
    assert journal.batches == [[2, 3]]


def test_the_queue_is_bounded() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        tasks = await sent(commits, journal, 1 + MOST_WAITING + 1)
        refused = [task for task in tasks if task.done()]
        journal.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True), refused

    (answers, refused), _ = run(story)

    assert [type(task.exception()) for task in refused] == [NotDurable]
    assert sum(isinstance(answer, tuple) for answer in answers) == 1 + MOST_WAITING


def test_what_was_taken_is_recorded_before_the_end_and_nothing_after_it() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        tasks = await sent(commits, journal, 3)
        commits.close()
        late = asyncio.create_task(commits.add(a_report(sequence=99)))
        journal.gate.set()
        return await asyncio.gather(*tasks, late, return_exceptions=True)

    answers, journal = run(story)

    assert [type(answer) for answer in answers] == [tuple, tuple, tuple, NotDurable]
    assert journal.batches == [[1], [2, 3]]


def test_a_client_that_left_does_not_disturb_the_others() -> None:
    async def story(commits: GroupCommit, journal: Journal) -> Any:
        tasks = await sent(commits, journal, 3)
        tasks[1].cancel()
        await asyncio.sleep(0)
        journal.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers, _ = run(story)

    assert [type(answer) for answer in answers] == [tuple, asyncio.CancelledError, tuple]
