"""What a percent would move, on the page and while it is typed."""

from datetime import timedelta

from controlplane.store import Store
from tests.web.conftest import Clock
from tests.web.ui.test_routing_panel import heard
from tests.web.ui.visitor import FLAG, Visitor

PREVIEW = f"{FLAG}/operations/simple_predict/preview"


def test_the_form_says_that_nothing_was_measured(flag: None, operator: Visitor) -> None:
    assert "Nothing measured in the last 10 minutes." in operator.text(FLAG)
    assert operator.text(f"{PREVIEW}?percent=5") == (
        "How much moves is not known: nothing of simple_predict was measured in the last 10 minutes."
    )


def test_what_was_measured_stands_beside_the_percent_and_answers_what_is_typed(
    store: Store, flag: None, operator: Visitor, clock: Clock
) -> None:
    heard(store)
    clock.go_on(timedelta(seconds=10))

    assert "calls an hour," in operator.text(FLAG)
    assert "calls an hour move to snakepit" in operator.text(f"{PREVIEW}?percent=50")


def test_a_percent_that_cannot_be_set_is_told_while_it_is_typed(flag: None, operator: Visitor) -> None:
    assert operator.text(f"{PREVIEW}?percent=150") == "The percent must be between 0 and 100."


def test_the_verbs_ask_with_what_they_move(store: Store, flag: None, operator: Visitor) -> None:
    assert "Begin a new attempt at the first stage. How much moves is not known" in operator.text(FLAG)
