"""How is a call made a second time, and its answer held against the first, while the caller is long gone?"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context, copy_context

from throwbar.comparison import Outcome, PairResult
from throwbar.copies import Arguments, copy_call, copy_of
from throwbar.crew import Crew, crew
from throwbar.decision import Choice
from throwbar.ratio import ratio_index
from throwbar.sampling import sampled
from throwbar.second import Function, Host, Manner, Second
from throwbar.shadow import enter_shadow, has_room, is_shadow, spawn


class Pairing:
    """The shadow calls and A/A calls of one operation, whose kind is READ.

    What the caller waits for is a hash, and for sampled keys the copies.
    """

    def __init__(
        self,
        host: Host,
        functions: tuple[Function, Function],
        manner: Manner,
        *,
        asynchronous: bool,
        crew: Crew = crew,
    ) -> None:
        """`functions` are the baseline's and the candidate's."""
        self.host = host
        self.manner = manner
        self.crew = crew
        self.asynchronous = asynchronous
        self.functions = functions
        self.seconds = tuple(Second(host, function, manner) for function in functions)

    def renew(self) -> None:
        """A new process."""
        for second in self.seconds:
            second.breaker.renew()

    def begin(
        self,
        first: Choice,
        second: Choice,
        key: str | None,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> Pair | None:
        """To be asked before the caller's own call is made, as that may change its arguments.

        `first` is the choice of the caller's call, `second` that of the other one: the other side of the plan, or
        for A/A the baseline. None when there is to be no second call. Never raises an Exception.
        """
        try:
            if not sampled(first.plan.flag, key, first.plan.shadow_share) or is_shadow() or not self.host.counting:
                return None
            return self._copy(Pair(self, first, second, key), args, kwargs)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            self.host.note_error(error)
            return None

    def _copy(self, pair: Pair, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Pair | None:
        # Behind a candidate that hangs there is no room for most calls, and they shall not pay for a copy either.
        if not (has_room() if self.asynchronous else self.crew.has_room):
            pair.drop()
            return None
        try:
            pair.arguments = copy_call(args, kwargs, self.manner.snapshot)
            pair.context = copy_context()
        except Exception:  # noqa: BLE001 - the host's objects, which need not be copyable
            pair.drop()
            return None
        return pair


class Pair:
    """One call that is to be made twice. Forget it if the first did not come to its backend's own answer."""

    __slots__ = ("_first", "_key", "_outcome", "_pairing", "_second", "arguments", "context")

    arguments: Arguments
    context: Context

    def __init__(self, pairing: Pairing, first: Choice, second: Choice, key: str | None) -> None:
        self._pairing = pairing
        self._first = first
        self._second = second
        self._key = key

    def finish(self, value: object, error: BaseException | None, duration_ns: int) -> None:
        """The first call is over, with this value or this exception. Never raises an Exception."""
        if error is not None and not isinstance(error, Exception):
            return  # cancelled, or the end of the host: there is no answer to compare with
        try:
            self._finish(value, error, duration_ns)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._pairing.host.note_error(trouble)

    def drop(self) -> None:
        self._pairing.host.tally.compare(self._first, PairResult.DROPPED)

    def _finish(self, value: object, error: Exception | None, duration_ns: int) -> None:
        manner = self._pairing.manner
        # An exception would take the caller's frames along into the queue, hence only its word.
        word = None if error is None else manner.word_for(error)[0]
        try:
            copied = None if error is not None else copy_of(value, manner.snapshot)
        except Exception:  # noqa: BLE001 - the host's objects, which need not be copyable
            self.drop()
            return
        self._outcome = Outcome(copied, word, duration_ns)
        if self._pairing.asynchronous:
            accepted = spawn(self._arun, self.context)
        else:
            accepted = self._pairing.crew.offer(self._run_in_context)
        if not accepted:
            self.drop()

    def _run_in_context(self) -> None:
        try:
            self.context.run(self._run)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours, of which the thread must hear nothing
            self._pairing.host.note_error(trouble)

    def _run(self) -> None:
        enter_shadow()
        if not self._pairing.host.counting:
            return  # the client was closed while this waited
        try:
            with self._pairing.host.tally.shadowing():
                outcome = self._call.call(self._second, self._key, self.arguments)
        except BaseException:  # noqa: BLE001 - in a thread of ours, where nobody asked it to exit
            outcome = Outcome(None, "exit", 0)
        self._weigh(outcome)

    async def _arun(self) -> None:
        enter_shadow()
        try:
            with self._pairing.host.tally.shadowing():
                outcome = await self._call.acall(self._second, self._key, self.arguments)
            self._weigh(outcome)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task, so nobody would retrieve it
            self._pairing.host.note_error(error)

    @property
    def _call(self) -> Second:
        return self._pairing.seconds[self._second.candidate]

    def _weigh(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self.drop()
            return
        flag, operation = self._first.plan.flag, self._first.plan.operation
        baseline, candidate = (self._outcome, outcome)
        if self._first.candidate:
            baseline, candidate = candidate, baseline
        comparison = self._pairing.manner.compare.outcomes(baseline, candidate)
        well = baseline.raised is None and candidate.raised is None
        ratio = ratio_index(candidate.duration_ns, baseline.duration_ns) if well else None
        try:
            if comparison.result is PairResult.MISMATCH:
                show = self._pairing.manner.compare.show
                self._pairing.host.mismatches.add((flag, operation), self._key, comparison, show)
        finally:  # whoever sees that it was counted finds the example
            self._pairing.host.tally.compare(self._first, comparison.result, ratio)
