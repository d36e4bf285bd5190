"""Does the database choose the next delivery as the domain does?"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.delivery import MOST_ATTEMPTS, Delivery, State, next_up
from controlplane.domain.webhook import Wanted, Webhook
from tests.builders import NOW

ROWS = st.lists(
    st.tuples(
        st.sampled_from([State.PENDING, State.PENDING, *State]), st.integers(0, MOST_ATTEMPTS), st.integers(-3, 3)
    ),
    max_size=6,
)


def a_delivery(webhook: int, state: State, attempts: int, wait: int) -> Delivery:
    made = Delivery(0, webhook, "production", 1, "evt_a_1", "flag:create", "dspex-bridge", NOW)
    next_at = NOW + timedelta(seconds=wait) if state is State.PENDING else None
    return replace(made, state=state, attempts=attempts, next_at=next_at)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(ROWS)
def test_the_first_row_is_the_one_that_the_domain_chooses(store, rows) -> None:
    with store.writing() as uow:
        number = uow.webhooks.add(Webhook(0, Wanted("chat", "https://example.org"), "sealed", NOW, "ann")).id
        uow.deliveries.add(1, [a_delivery(number, *each) for each in rows])
        everything = [each for each in uow.deliveries.newest(number, 10)[::-1] if each.state is State.PENDING]
        found = next_up(uow.deliveries.first(number, NOW), NOW)
        is_due = number in uow.deliveries.due(NOW)

    assert found == next_up(everything, NOW)
    assert is_due or found is None
