import random
import threading

import pytest

from throwbar.budget import FALLBACKS, RETRIES, Budget, BudgetSettings

SECOND = 1_000_000_000


def spend_all(budget, now=0):
    spent = 0
    while budget.spend(now):
        spent += 1
    return spent


def test_a_new_budget_has_its_burst_and_no_more():
    budget = Budget()

    assert (spend_all(budget), budget.denied) == (10, 1)


def test_five_ordinary_calls_pay_for_one_retry():
    budget = Budget()
    spend_all(budget)

    budget.calls += 4
    assert not budget.spend(0)
    budget.calls += 1
    assert budget.spend(0)
    assert not budget.spend(0)


def test_a_quiet_service_may_retry_once_a_second():
    budget = Budget()
    spend_all(budget)

    assert not budget.spend(SECOND - 1)
    assert budget.spend(SECOND)
    assert not budget.spend(SECOND)


def test_no_more_than_the_burst_is_saved_up():
    budget = Budget()
    spend_all(budget)
    budget.calls += 1_000_000

    assert spend_all(budget, 3_600 * SECOND) == 10


def test_a_clock_that_goes_back_takes_nothing_away():
    budget = Budget()
    budget.spend(5 * SECOND)

    assert spend_all(budget) == 9


def test_what_was_paid_and_not_used_comes_back():
    budget = Budget()
    spend_all(budget)
    budget.give_back()

    assert spend_all(budget) == 1


def test_a_fallback_budget_follows_the_ordinary_calls_of_the_baseline():
    budget = Budget(FALLBACKS)
    spend_all(budget)
    budget.calls += 70

    assert spend_all(budget) == 70


def test_after_a_fork_the_budget_is_full_and_nobody_holds_its_lock():
    budget = Budget()
    spend_all(budget)
    with budget._lock:
        budget.renew()
        thread = threading.Thread(target=budget.spend, args=(0,), daemon=True)
        thread.start()
        thread.join(30)

    assert spend_all(budget) == 9


def test_threads_together_spend_what_one_could():
    budget = Budget(BudgetSettings(per_call=0, burst=1_000, per_second=0))
    spent = []
    threads = [threading.Thread(target=lambda: spent.append(spend_all(budget))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(spent) == 1_000


CALLS, CALLS_A_SECOND = 100_000, 1_000


def load_and_success(fault_rate, budget, attempts=3):
    """Calls a second through a retry loop; a fault is a coin's fall."""
    seeded, reached, served = random.Random(42), 0, 0
    for number in range(CALLS):
        if budget is not None:
            budget.calls += 1
        for attempt in range(1, attempts + 1):
            reached += 1
            if seeded.random() >= fault_rate:
                served += 1
                break
            if attempt == attempts or (budget is not None and not budget.spend(number * SECOND // CALLS_A_SECOND)):
                break
    return reached / CALLS, served / CALLS


def test_a_dead_backend_gets_a_fifth_more_than_its_ordinary_load_and_not_three_times_as_much():
    load, _ = load_and_success(1.0, Budget())
    without, _ = load_and_success(1.0, None)

    seconds = CALLS / CALLS_A_SECOND
    most = 1.2 + (RETRIES.burst + RETRIES.per_second * seconds) / CALLS
    assert 1.19 < load <= most < 1.202
    assert without == 3.0


@pytest.mark.parametrize(("fault_rate", "least"), [(0.01, 0.9999), (0.05, 0.999), (0.2, 0.955)])
def test_ordinary_faults_are_still_lifted_by_retries(fault_rate, least):
    load, success = load_and_success(fault_rate, Budget())

    assert success >= least
    assert load <= 1.21


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_baseline_never_gets_twice_its_own_load_from_a_dying_candidate(share):
    seeded, budget, own, extra = random.Random(3), Budget(FALLBACKS), 0, 0
    for number in range(CALLS):
        if seeded.random() >= share:
            own += 1
            budget.calls += 1
        elif budget.spend(number * SECOND // CALLS_A_SECOND):
            extra += 1

    seconds = CALLS / CALLS_A_SECOND
    assert extra <= own + FALLBACKS.burst + FALLBACKS.per_second * seconds
    assert extra >= min(own, int(share * CALLS)) * 0.95
