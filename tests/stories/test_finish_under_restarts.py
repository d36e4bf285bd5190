"""From a checklist to the finish, while the scheduler dies again and again: what is open, owed or unmet stays so."""

import random
from datetime import timedelta

from controlplane.domain.checklist import Phase
from controlplane.domain.errors import Refused
from controlplane.domain.rollout import State
from controlplane.usecases import attachments, checklists, finishing, flags, rollouts
from controlplane.usecases.criteria import judge_criteria
from controlplane.usecases.history import verify
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.usecases.reporting import HERE
from tests.stories.test_nine_weeks import Story, new_store

__all__ = ["new_store"]  # a fixture

DAY = timedelta(days=1)
RUN = {"commit": "4f2a91c", "result": "passed"}
REOPENED, DONE_AGAIN = 2, 4  # days on which somebody finds a point open, and it is done again
LAST = 36


class Finish(Story):
    """A day at a time. `refused` are the answers of whoever tries to finish each evening."""

    def __init__(self, store, chance, dies):
        super().__init__(store, chance, dies)
        self.refused = []
        self.stages = []

    def tick_off(self, *, done):
        checklists.set_item(self.store, HERE, Phase.BEFORE, "usage", {"done": done}, a_cause(self.now))

    def prepare(self):
        document = a_flag_document(plan=a_plan_document(50, 98, bake_seconds=3 * 86_400), guardrails={"min_samples": 1})
        flags.create_flag(self.store, "production", document, a_cause())
        checklists.require(self.store, HERE, items=True, tests=True, criteria=True, cause=a_cause())
        for item in ("errors", "performance", "optimisations", "capabilities"):
            checklists.set_item(self.store, HERE, Phase.BEFORE, item, {"done": True}, a_cause())
        rollouts.start(self.store, HERE, a_cause(), NOW + timedelta(hours=1))

    def live(self):
        self.prepare()
        self.visit(NOW + timedelta(hours=2))
        assert self.flag.rollout.state is State.SCHEDULED  # an item is open, and no test was attached
        self.tick_off(done=True)
        attachments.attach(self.store, HERE, RUN, a_cause(self.now))
        for day in range(1, LAST + 1):
            if day in {REOPENED, DONE_AGAIN}:
                self.tick_off(done=day == DONE_AGAIN)
            self.visit(NOW + day * DAY)
            self.stages.append((self.flag.rollout.state, self.flag.rollout.stage))
            self.refused.append(self.try_to_finish())
        finishing.finish(self.store, HERE, a_cause(self.now, reason="it is time"), despite_criteria=True)
        return self

    def try_to_finish(self):
        try:
            finishing.finish(self.store, HERE, a_cause(self.now))
        except Refused as refused:
            return refused.message
        raise AssertionError("it was finished although not every criterion can have passed")

    def stable(self):
        return next(each.sentence for each in judge_criteria(self.store, HERE, self.now) if each.name == "stable")


def test_what_a_checklist_and_the_criteria_ask_for_outlives_every_scheduler(new_store):
    mortal, immortal = new_store()

    disturbed = Finish(mortal, random.Random(5), dies=0.6).live()
    undisturbed = Finish(immortal, random.Random(5), dies=0.0).live()

    assert disturbed.deaths > 10
    assert disturbed.told() == undisturbed.told()
    assert disturbed.stages == undisturbed.stages
    assert [told.split(":")[0] for told in disturbed.refused] == [told.split(":")[0] for told in undisturbed.refused]
    assert "its checklist asks for: Audit how the baseline is used today" in disturbed.refused[REOPENED - 1]
    assert "success criteria have not passed" in disturbed.refused[-1]
    assert disturbed.stable() == undisturbed.stable()
    assert disturbed.flag.rollout.state is State.FINISHED
    assert verify(mortal, "production").broken is None
