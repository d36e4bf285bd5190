import json

from tests.sdk.fake_control_plane import CONTRACT, Clock, PerfClock
from throwbar.cell import UNMARKED, Marks
from throwbar.harvest import settle
from throwbar.memory import Memories
from throwbar.outbox import Outbox
from throwbar.report import Sender, cell_document
from throwbar.snapshot import compile_snapshot, parse
from throwbar.tally import Tally

GOLDEN = json.loads((CONTRACT / "report.json").read_text())
SNAPSHOT = compile_snapshot(parse((CONTRACT / "snapshot.json").read_bytes()))
PLAN = SNAPSHOT.flags["dspex-bridge"].plan("simple_predict")

SECTIONS = {name: GOLDEN[name] for name in ("breakers", "receipts", "overrides")}


class Service:
    """Calls with a wanted histogram index, on clocks set by hand."""

    def __init__(self):
        self.clock = Clock(1_790_000_000.0)
        self.perf = PerfClock()
        self.tally = Tally(self.clock, self.perf)
        self.memories = Memories(self.tally.thinning)

    def call(self, choice, key, index, error=None, marks=UNMARKED):
        token = self.tally.begin(choice, key)
        self.perf.now += inside(index)
        self.tally.end(token, error, marks)

    def cells(self):
        return [cell_document(total, self.memories.learn(total)) for total in settle(self.tally, self.clock(), 10.0)]


def inside(index):
    """Nanoseconds in the middle of a bucket."""
    return int(2 ** ((index + 0.5) / 8) * 1e6)


def serve_the_bucket_before(service):
    """Brings every key to where the golden report knows it from."""
    for number in range(25):
        service.call(PLAN.by_share_candidate, f"a{number}", 24)
    for number in range(12):
        service.call(PLAN.by_share_candidate, f"b{number}", 25)
    service.call(PLAN.by_share_candidate, "c0", 53, "timeout")
    for key in ("c1", "c2", "d"):
        service.call(PLAN.by_share_candidate, key, 24)
    for number in range(790):
        service.call(PLAN.by_share_baseline, f"k{number}", 26 if number < 781 else 27 if number < 788 else 55)


def serve_the_golden_bucket(service):
    for number in range(40):
        service.call(PLAN.by_share_candidate, f"a{number % 25}", 24)
    for number in range(16):
        service.call(PLAN.by_share_candidate, f"b{number % 12}", 25)
    service.call(PLAN.by_share_candidate, "c0", 53, "connection")
    service.call(PLAN.by_share_candidate, "c1", 53, "timeout", Marks(retries=2))
    service.call(PLAN.by_share_candidate, "c2", 53, "timeout", Marks(fallbacks=1))
    service.tally.refused(PLAN.by_share_candidate, "refused")
    for number in range(1090):
        service.call(PLAN.by_share_baseline, f"k{number % 781}", 26)
    for number in range(8):
        service.call(PLAN.by_share_baseline, f"k{781 + number % 7}", 27)
    service.call(PLAN.by_share_baseline, "k788", 55, "timeout")
    service.call(PLAN.by_share_baseline, "k789", 55, "timeout")
    service.tally.begin(PLAN.by_share_candidate, "d")
    service.perf.now += inside(106)


def test_the_golden_report_is_what_these_calls_come_to():
    service = Service()
    serve_the_bucket_before(service)
    service.clock.tick(10)
    service.cells()
    serve_the_golden_bucket(service)
    service.clock.now = 1_790_000_031.25
    outbox = Outbox()
    sender = Sender("0d9f6f7c5c2b4e1aa3a1", "bridge-api", SNAPSHOT.source, SNAPSHOT.version)
    for _ in range(16):
        outbox.put(sender, 0.0, [])
        outbox.acknowledged()

    outbox.put(sender, service.clock(), service.cells(), SECTIONS)

    assert json.loads(outbox.first.body) == GOLDEN


def test_the_first_bucket_of_an_attempt_says_where_every_key_began():
    service = Service()
    service.call(PLAN.by_share_candidate, "a", 24)
    service.clock.tick(10)

    (cell,) = service.cells()

    assert cell["key_rise"] == {"from": {}, "to": {"22": 1}}  # lowered by the tolerance of two buckets
