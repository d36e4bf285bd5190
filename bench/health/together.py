"""Do all rules together keep the promise of one α? Calls through the SDK's breakers and memory, every rule judged.

Two backends that are the same: calls fail at random, some keys fail always, and now and then both backends are down for
a while, so that breakers open on both sides. The comparison, the limits, the outage and what open breakers tell are all
asked, as at each tick.
"""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from random import Random

from bench.health import whole
from bench.health.goals import Goal, Table, holds, rate
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import CHECK_SECONDS
from controlplane.domain.arm import Arm, total
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.open_breakers import Asked, Told, open_breakers
from controlplane.domain.open_breakers import Side as Keys
from controlplane.domain.rollout import Step
from controlplane.domain.share import FULL
from throwbar.breaker import Breaker
from throwbar.circuit import Mode
from throwbar.guard import LEAST_KEYS
from throwbar.harvest import UNTIMED, Identity, Sum
from throwbar.histogram import index_of
from throwbar.memory import Memories
from throwbar.thinning import Thinning

SIDES = ("baseline", "candidate")
GUARDRAILS = Guardrails(max_error_rate=0.05, max_latency_ms={"p99": 1000.0})
ALPHA = 0.01
BOTH_ABOVE = 0.05  # of a limit that both backends break: the comparison must say 1 in 20
_ANSWERED = index_of(20_000_000)


@dataclass(frozen=True, slots=True)
class World:
    """`keys` in one process each, `calls` a bucket and process; `broken` keys always fail. `hammers`: one of them makes
    half of the candidate's calls. `incidents` is the chance a bucket that both backends begin to fail, for a while.
    From the check `dead` on the candidate fails always.

    `trusting`: every key that is turned away is bad, as if breakers never opened but for a dead candidate.
    """

    name: str
    share: float = 0.1
    processes: int = 1
    keys: int = 200
    calls: int = 200
    rate: float = 0.01
    broken: float = 0.01
    hammers: bool = False
    incidents: float = 0.0
    dead: int | None = None
    trusting: bool = False


@dataclass(slots=True)
class _Seen:
    """What one side of one process had in a bucket."""

    calls: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    failed_keys: set[str] = field(default_factory=set)


class Process:
    """Its keys, its two breakers, and what it remembers of them."""

    def __init__(self, world: World, number: int, random: Random) -> None:
        self.world, self.random, self.now = world, random, 0
        clock = {"clock_ns": lambda: self.now, "chance": random.random}
        self.breakers = [Breaker(**clock), Breaker(**clock)]
        self.breakers[0].set_mode(Mode.METRICS_ONLY)
        self.failures: deque[str] = deque(maxlen=5)
        self.memories = Memories(Thinning())
        self.names = [f"{number}/{each}" for each in range(world.keys)]
        self.dead = False
        self.candidates = {key for key in self.names if random.random() < world.share}
        self.broken = {key for key in self.names if random.random() < world.broken}
        self.weights = list(accumulate(self._weight(key) for key in self.names))
        self.failed_before = 0
        self.seen = [_Seen(), _Seen()]
        self.probed: Counter[str] = Counter()

    def _weight(self, key: str) -> float:
        loud = self.world.hammers and key in self.candidates and key == min(self.candidates)
        if loud:
            self.broken.add(key)
        return max(1.0, len(self.candidates) - 1.0) if loud else 1.0

    def live(self, start: int, failing: float) -> None:
        """One bucket, in which each call fails with this probability at either side."""
        self.seen, self.probed = [_Seen(), _Seen()], Counter()
        number = self.world.calls
        for place in range(number):
            self.now = int((start + CHECK_SECONDS * place / number) * 1e9)
            key = self.names[bisect_right(self.weights, self.random.random() * self.weights[-1])]
            self._call(key, failing)

    def _call(self, key: str, failing: float) -> None:
        side = key in self.candidates
        breaker, seen = self.breakers[side], self.seen[side]
        permit = breaker.passing or breaker.acquire(self.now)
        if permit is not None and permit is not breaker.passing:
            self.probed += Counter(calls=1, bad=int(self._answer(side, key, failing, permit)))
            return
        seen.calls += 1
        seen.keys.setdefault(key, UNTIMED)
        if permit is None:
            if self._blames():
                seen.refused += 1
                seen.bad.add(key)
            else:
                seen.cancelled += 1
            self._answer(0, key, failing)
            return
        seen.keys[key] = _ANSWERED
        if self._answer(side, key, failing, permit):
            seen.failed += 1
            seen.bad.add(key)
            seen.failed_keys.add(key)

    def _blames(self) -> bool:
        if self.world.trusting:
            return True
        several = len(self.failures) < 5 or len(set(self.failures)) >= LEAST_KEYS
        return several and not self.breakers[0].would_refuse

    def _answer(self, side: int, key: str, failing: float, permit=None) -> bool:
        permit = permit or self.breakers[side].passing
        fails = key in self.broken or (side and self.dead) or self.random.random() < failing
        if fails:
            permit.failed(self.now, 20_000_000, hard=True)
            if side:
                self.failures.append(key)
        else:
            permit.succeeded(self.now, 20_000_000)
        return fails

    def told(self) -> Told | None:
        """What a report says of an open breaker."""
        if self.breakers[1].passing is not None:
            self.failed_before = 0
            return None
        self.failed_before = max(self.failed_before, len(self.seen[1].failed_keys))
        sides = [Keys(len(each.keys), len(each.bad)) for each in self.seen]
        failed = min(self.failed_before, sides[1].bad_keys)
        return Told(sides[0], replace(sides[1], failed_keys=failed), max(1, self.breakers[1].opens))

    def arms(self, start: int) -> list[Arm]:
        return [self._arm(side, start) for side in (0, 1)]

    def _arm(self, side: int, start: int) -> Arm:
        seen = self.seen[side]
        share = round(self.world.share * FULL)
        identity = Identity("flag", "predict", SIDES[side], SIDES[side], 1, "share", share, start)
        news = self.memories.learn(Sum(identity, seen.calls, 0, {}, {}, seen.keys, seen.bad, 0))
        errors = Counter(timeout=seen.failed, breaker=seen.refused, cancelled=seen.cancelled)
        return Arm(
            calls=seen.calls,
            bad=seen.failed + seen.refused,
            cancelled=seen.cancelled,
            errors=+errors,
            latency={_ANSWERED: seen.calls - seen.refused - seen.cancelled},
            keys=len(seen.keys),
            bad_keys=news.bad_keys,
            key_latency=news.key_latency,
            rise_from=news.rise_from,
            rise_to=news.rise_to,
        )


def rolled_back(world: World, checks: int, random: Random) -> tuple[int, str] | None:
    """The check and the rule by which an attempt is taken back; None where it is left alone."""
    processes = [Process(world, number, random) for number in range(world.processes)]
    attempt, down = whole.Attempt(GUARDRAILS), 0
    share = round(world.share * FULL)
    for check in range(1, checks + 1):
        start = check * CHECK_SECONDS
        down = random.randint(1, 6) if not down and random.random() < world.incidents else max(0, down - 1)
        failing = 0.7 if down else world.rate
        for process in processes:
            process.dead = world.dead is not None and check >= world.dead
            process.live(start, failing)
        told = [each for process in processes if (each := process.told()) is not None]
        quiet = len(processes) - len(told)
        refusals = whole.Attempt().seen.refusals if world.trusting else attempt.seen.refusals
        asked = Asked("predict", *SIDES, share, told, quiet, refusals=refusals, at=start + CHECK_SECONDS)
        tripped = not world.trusting and any(process.breakers[0].would_refuse for process in processes)
        if told and not tripped and any(open_breakers(GUARDRAILS, asked)):
            return check, "open_breakers"
        sides = [total(arms) for arms in zip(*(process.arms(start) for process in processes), strict=True)]
        probed = sum((process.probed for process in processes), Counter())
        probes = Arm(calls=probed["calls"], bad=probed["bad"])
        if attempt.see(Bucket(start, (Stratum(share, *sides),), *sides, probes)) is Step.ROLL_BACK:
            return check, attempt.because
    return None


WORLDS = (
    World("calls fail at random (1 %), 1 % of keys always"),
    World("… in ten processes", processes=10, calls=100),
    World("… half of the keys on the candidate", share=0.5),
    World("calls fail at random (10 %)", rate=0.1, share=0.5),
    World("one broken key makes half of the candidate's calls", hammers=True),
    World("incidents of both backends", incidents=0.02),
    World("… in ten processes", incidents=0.02, processes=10, calls=100),
    World("… at 98 %", incidents=0.02, share=0.98),
)


def tables(scale: Scale) -> Iterator[Table]:
    number, checks = scale.rival_runs, scale.checks // 20
    few = max(5, number // 10)
    rows, wrong = [], []
    for world in WORLDS:
        found = _found(world, checks, number)
        rules = Counter(found)
        told = ", ".join(f"{rule} {count}" for rule, count in rules.most_common()) or "–"
        trusting = len(_found(replace(world, trusting=True), checks, few))
        rows.append([world.name, rate(len(found), number), told, rate(trusting, few)])
        by_limits = sum(count for rule, count in rules.items() if rule.startswith("max_"))
        wrong += [not holds(len(found) - by_limits, number, ALPHA), not holds(by_limits, number, BOTH_ABOVE)]
    promise = f"every rule on, both backends the same: ≤ α in {checks} checks, {number} runs"
    goal = Goal("one α", promise, "see the rows", not any(wrong))
    columns = ["false rollbacks", "in all", "by", f"were every key that is turned away bad ({few} runs)"]
    notes = [
        "In an incident both backends are above the limit, so by the letter no rollback is a false one; the comparison",
        "then has to say 1 in 20, and at most 5 % are allowed.",
    ]
    return iter([Table("Every rule at once, through real breakers", columns, rows, [goal], notes)])


def _found(world: World, checks: int, number: int) -> list[str]:
    seed = seeds("together", world.name)
    return [rule for each in runs(partial(rolled_back, world, checks), number, seed) if each for rule in each[1:]]
