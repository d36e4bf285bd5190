"""Where an environment asks why, each form does, but for the brakes."""

import re

import pytest

from controlplane.usecases.environments import set_environment
from tests.builders import a_cause
from tests.web.ui.visitor import FLAG, visible


@pytest.fixture
def strict(store, flag) -> None:
    set_environment(store, "production", a_cause(), require_reason=True)


def reasons(page: str) -> dict[str, bool]:
    """Each reason field of a page by its form's address, and whether it must be filled in."""
    forms = re.findall(r'<form method="post" action="([^"]+)".*?</form>', page, flags=re.DOTALL)
    bodies = re.findall(r'<form method="post" action="[^"]+"(.*?)</form>', page, flags=re.DOTALL)
    fields = [re.search(r'<input[^>]* name="reason"[^>]*>', body) for body in bodies]
    return {
        address.rpartition("/dspex-bridge/")[2]: " required" in field.group()
        for address, field in zip(forms, fields, strict=True)
        if field
    }


@pytest.mark.usefixtures("strict")
def test_changes_must_say_why_and_brakes_need_not(operator) -> None:
    found = reasons(operator.get(FLAG).text)

    assert found["disable"] is False
    assert found["rollout/rollback"] is False
    assert found["rollout/start"] is True
    assert found["operations"] is True
    assert found["archive"] is True


@pytest.mark.usefixtures("flag")
def test_elsewhere_a_reason_is_an_offer(operator) -> None:
    assert not any(reasons(operator.get(FLAG).text).values())


@pytest.mark.usefixtures("strict")
def test_a_form_without_a_reason_is_told_so_at_the_field(operator) -> None:
    refused = operator.post(f"{FLAG}/operations/echo", percent="5", expected="1")
    edited = operator.post(f"{FLAG}/edit", expected="1", baseline="a", candidate="b", operations="echo")

    assert (refused.status_code, edited.status_code) == (422, 422)
    assert "reason is missing: 'production' wants to know why" in visible(refused)
    assert 'id="reason-wrong"' in edited.text
    assert "Disabled" in operator.done(f"{FLAG}/disable")
