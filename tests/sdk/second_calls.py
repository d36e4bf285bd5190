"""A host that remembers what it was told, choices of a plan, and waiting that ends as soon as there is something."""

import threading
import time
from contextlib import nullcontext

from throwbar.crew import Crew
from throwbar.decision import BUCKETS, Choice, Reason
from throwbar.mismatches import Mismatches
from throwbar.pairing import Pairing
from throwbar.plan import OperationPlan
from throwbar.second import Manner

MS = 1_000_000


class RememberingTally:
    def __init__(self):
        self.ended, self.compared, self.ratios = [], [], []
        self._news = threading.Condition()

    def begin(self, choice, key):
        return choice, key

    def end(self, opened, category):
        self.ended.append((opened[0].side, opened[0].assigned_by, opened[1], category))

    def shadowing(self):
        return nullcontext()

    def compare(self, choice, result, ratio=None):
        with self._news:
            self.compared.append(str(result))
            self.ratios.append(ratio)
            self._news.notify_all()

    def wait_for(self, number):
        """The results of that many pairs, or of fewer after a time that only a defect needs."""
        with self._news:
            self._news.wait_for(lambda: len(self.compared) >= number, 20)
            return list(self.compared)


class RememberingHost:
    wall_clock = staticmethod(lambda: 1_790_000_010.0)
    perf_clock_ns = staticmethod(time.perf_counter_ns)

    def __init__(self):
        self.counting = True
        self.tally = RememberingTally()
        self.mismatches = Mismatches(self.wall_clock)
        self.errors = []

    def note_error(self, error):
        self.errors.append(error)


class Choices:
    """The answers of one plan that tests are about."""

    def __init__(self, shadow_share=BUCKETS):
        plan = OperationPlan("orders", "read", baseline="old", candidate="new", shadow_share=shadow_share)
        self.baseline = Choice(plan, Reason.SHARE, "share", candidate=False)
        self.candidate = Choice(plan, Reason.SHARE, "share", candidate=True)
        self.shadow_baseline = Choice(plan, Reason.SHARE, "shadow", candidate=False)
        self.shadow_candidate = Choice(plan, Reason.SHARE, "shadow", candidate=True)


def pairing_of(host, baseline, candidate, crew=None, **manner):
    manner.setdefault("deadline", 20.0)
    return Pairing(host, (baseline, candidate), Manner(**manner), asynchronous=False, crew=crew or Crew())


def serve(pairing, first, second, *args, key="k", **kwargs):
    """What the engine does around the caller's own call."""
    pair = pairing.begin(first, second, key, args, kwargs)
    function = pairing.functions[first.candidate]
    try:
        value = function(*args, **kwargs)
    except BaseException as error:
        if pair is not None:
            pair.finish(None, error, MS)
        raise
    if pair is not None:
        pair.finish(value, None, MS)
    return value
