"""Modes and pins as the engine is wired: whose answer the caller gets, and what else is called."""

import asyncio
import threading

import pytest

import throwbar
from tests.sdk.routing import Service, raising, refused
from throwbar.pins import Pins

ALL = 100_000


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def met(service, side, count):
    """Waits until a side was called so often; the shadow's thread is not ours."""
    done = threading.Event()
    for _ in range(2_000):
        if service.called[side] >= count and not crew_is_busy(service):
            return True
        done.wait(0.005)
    return False


def crew_is_busy(service):
    cells = [cell for thread in service.client._engine.tally.threads for cell in list(thread.live)]
    return any(cell.open for cell in cells) or not any(cell.shadow for cell in cells)


@pytest.mark.parametrize(("share", "answer", "assigned"), [(0, "old", "baseline"), (ALL, "new", "candidate")])
def test_row_26_a_shadow_call_changes_nobodys_answer(service, share, answer, assigned):
    service.serve(share, mode="shadow", shadow_share=ALL)
    operation = service.operation(raising(), kind=throwbar.READ)

    assert operation(key="k") == answer
    assert met(service, "new" if answer == "old" else "old", 1)

    cells = service.cells()
    other = "candidate" if assigned == "baseline" else "baseline"
    assert cells[assigned, "share"]["calls"] == 1
    assert cells[assigned, "share"]["shadow"] == {"pairs": 1, "mismatch": 1}
    assert cells[other, "shadow"]["calls"] == 1
    (mismatch,) = service.told("mismatches")
    assert (mismatch["flag"], mismatch["operation"]) == ("orders", "read")


def test_a_shadow_that_fails_is_no_failure_of_the_call(service):
    service.serve(0, mode="shadow", shadow_share=ALL)
    operation = service.operation(raising(refused()), kind=throwbar.READ)

    assert operation(key="k") == "old"
    assert met(service, "new", 1)
    assert service.cells()["candidate", "shadow"]["errors"] == {"connection": 1}


@pytest.mark.parametrize("kind", [throwbar.WRITE, throwbar.IDEMPOTENT_WRITE])
def test_row_25_a_write_is_never_shadowed(service, kind):
    service.serve(0, mode="shadow", shadow_share=ALL)

    assert service.operation(raising(), kind=kind)(key="k") == "old"
    assert service.called == {"old": 1}


def test_a_dual_write_reaches_both_stores_and_answers_from_the_one_that_was_decided(service):
    service.serve(0, mode="dual_write")

    assert service.operation(raising(), kind=throwbar.IDEMPOTENT_WRITE)(key="k") == "old"
    assert service.called == {"old": 1, "new": 1}


def test_a_dual_write_whose_second_half_fails_is_a_divergence(service):
    service.serve(0, mode="dual_write")
    heard = []
    operation = service.operation(raising(refused()), kind=throwbar.WRITE, dual_write=True, reconcile=heard.append)

    assert operation(key="k") == "old"
    assert [(divergence.done_at, divergence.missing_at) for divergence in heard] == [("old", "new")]
    service.cells()
    assert {"orders/read": 1} in [report.get("divergences") for report in service.server.reports]
    sides = {"candidate_missing": 1, "candidate_reconciled": 1}
    assert {"orders/read": sides} in [report.get("diverged") for report in service.server.reports]


def test_a_dual_write_of_coroutines_reaches_both_stores(service):
    service.serve(ALL, mode="dual_write")
    operation = service.orders.operation("read", kind=throwbar.IDEMPOTENT_WRITE)

    @operation.baseline
    async def _():
        service.called["old"] += 1
        return "old"

    @operation.candidate
    async def _():
        service.called["new"] += 1
        return "new"

    assert asyncio.run(operation(key="k")) == "new"
    assert service.called == {"old": 1, "new": 1}


def test_the_shadow_switch_leaves_one_side(service):
    service.serve(0, mode="shadow", shadow_share=ALL, switches={"shadow": False})

    service.operation(raising(), kind=throwbar.READ)(key="k")

    assert service.called == {"old": 1}


def test_a_pinned_session_stays_while_the_share_grows(service):
    service.serve(1_000)
    operation = service.operation(raising(), kind=throwbar.READ, pins=Pins())
    stays = next(f"k{number}" for number in range(1_000) if operation(key=f"k{number}") == "old")

    service.serve(ALL - 1)

    assert operation(key=stays) == "old"
    assert service.orders.decide("read", key=stays).reason == "pin"
    assert operation(key="somebody new") == "new"


def test_a_promise_that_does_not_go_with_the_kind_is_refused(service):
    with pytest.raises(throwbar.ConfigurationError):
        service.operation(raising(), kind=throwbar.READ, dual_write=True)
