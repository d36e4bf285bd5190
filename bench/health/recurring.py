"""What becomes of a late regression when the same keys have called all along? Through the SDK's own memory.

A key is bad once in an attempt, and slow once beyond each edge: that is what keeps broken keys from condemning a
candidate. The price is that a key which has failed before cannot testify again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.health import whole
from bench.health.draws import poisson
from bench.health.goals import Goal, Table, delays_shown
from bench.health.latencies import BASELINE, Speed, indexes
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import CHECK_SECONDS
from controlplane.domain.arm import Arm
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.rollout import Step
from controlplane.domain.share import from_percent
from throwbar.harvest import Identity, Sum
from throwbar.memory import Memories
from throwbar.thinning import Thinning

KEYS = 2000
SHARE = from_percent(10)
CALLS = 1000  # per check, so that each key calls once in 20 seconds
RATE = 0.01
GUARDRAILS = Guardrails(max_error_rate=0.05)
WATCHED = 60  # checks after the onset: ten minutes
CALLS_BEFORE = (0, 20, 100, 500)


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    rate: float
    speed: Speed


FAULTS = (
    Fault("outage (100 % fail)", 1.0, BASELINE),
    Fault("1 → 5 %", 0.05, BASELINE),
    Fault("all × 2", RATE, Speed(all=2.0)),
)


class Fleet:
    """One process and its keys: the first tenth is the candidate's."""

    def __init__(self, random: Random) -> None:
        self.random, self.memories, self.check = random, Memories(Thinning()), 0

    def bucket(self, rate: float, speed: Speed) -> Bucket:
        self.check += 1
        calls = poisson(self.random, CALLS)
        baseline = self._arm("baseline", range(KEYS // 10, KEYS), calls * 9 // 10, RATE, BASELINE)
        candidate = self._arm("candidate", range(KEYS // 10), calls // 10, rate, speed)
        return Bucket(self.check * CHECK_SECONDS, (Stratum(SHARE, baseline, candidate),), baseline, candidate)

    def _arm(self, side: str, keys: range, calls: int, rate: float, speed: Speed) -> Arm:
        slowest: dict[str, int] = {}
        bad, failed, latency = set(), 0, {}
        for key, index in zip(self.random.choices(keys, k=calls), indexes(self.random, speed, calls), strict=True):
            name = str(key)
            latency[index] = latency.get(index, 0) + 1
            slowest[name] = max(index, slowest.get(name, index))
            if self.random.random() < rate:
                failed += 1
                bad.add(name)
        identity = Identity("flag", "predict", side, side, 1, "share", SHARE, self.check * CHECK_SECONDS)
        tolerance = GUARDRAILS.compare.latency_tolerance if side == "candidate" else 0
        news = self.memories.learn(Sum(identity, calls, 0, {}, latency, slowest, bad, 0, tolerance))
        return Arm(
            calls=calls,
            bad=failed,
            latency=latency,
            keys=len(slowest),
            bad_keys=news.bad_keys,
            key_latency=news.key_latency,
            rise_from=news.rise_from,
            rise_to=news.rise_to,
        )


def delay(fault: Fault, calls_before: int, random: Random) -> int | None:
    fleet, attempt = Fleet(random), whole.Attempt(GUARDRAILS)
    onset = calls_before * KEYS // CALLS
    for check in range(onset + WATCHED):
        bucket = fleet.bucket(fault.rate, fault.speed) if check >= onset else fleet.bucket(RATE, BASELINE)
        if attempt.see(bucket) is Step.ROLL_BACK:
            return max(1, check + 1 - onset)
    return None


def tables(scale: Scale) -> Iterator[Table]:
    number = max(4, scale.delay_runs // 10)
    found = {
        fault: [
            runs(partial(delay, fault, before), number, seeds("recurring", fault.name, before))
            for before in CALLS_BEFORE
        ]
        for fault in FAULTS
    }
    rows = [[fault.name, *(delays_shown(each) for each in delays)] for fault, delays in found.items()]
    seen = [sum(each is not None for each in delays) for delays in found[FAULTS[0]]]
    goal = Goal(
        "outage",
        "a dead candidate is rolled back within ten minutes, whatever its keys have been through",
        ", ".join(f"{100 * each / number:.0f} %" for each in seen),
        min(seen) == number,
        "a key that failed before cannot testify again, so that keys that always fail condemn nobody",
    )
    notes = [
        f"{KEYS} keys, 10 % of them on the candidate, 1 % of all calls fail before; defaults and max_error_rate 5 %;",
        f"watched for {WATCHED} checks; {number} runs.",
    ]
    columns = ["onset after so many calls of each key", *map(str, CALLS_BEFORE)]
    return iter([Table("Late regressions of keys that come back (median / p95, checks)", columns, rows, [goal], notes)])
