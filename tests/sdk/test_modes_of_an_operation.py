import pytest

from throwbar.errors import ConfigurationError
from throwbar.kinds import Kind
from throwbar.modes import possible_modes


def mend(divergence):
    """A hook."""


@pytest.mark.parametrize(
    ("kind", "promises", "modes"),
    [
        (Kind.READ, {}, {"single", "shadow", "aa"}),
        (Kind.READ, {"compares": True}, {"single", "shadow", "aa"}),
        (Kind.IDEMPOTENT_WRITE, {}, {"single", "dual_write"}),
        (Kind.IDEMPOTENT_WRITE, {"reconcile": mend}, {"single", "dual_write"}),
        (Kind.WRITE, {}, {"single"}),
        (Kind.WRITE, {"reconcile": mend}, {"single"}),
        (Kind.WRITE, {"dual_write": True, "reconcile": mend}, {"single", "dual_write"}),
    ],
)
def test_an_operation_can_run_in_these_modes(kind, promises, modes):
    assert possible_modes(kind, **promises) == modes


@pytest.mark.parametrize(
    ("kind", "promises"),
    [
        (Kind.READ, {"dual_write": True}),
        (Kind.READ, {"reconcile": mend}),
        (Kind.WRITE, {"compares": True}),
        (Kind.IDEMPOTENT_WRITE, {"compares": True}),
        (Kind.WRITE, {"dual_write": True}),
        (Kind.IDEMPOTENT_WRITE, {"reconcile": "mend"}),
    ],
)
def test_a_promise_that_does_not_go_with_the_kind_is_refused_at_registration(kind, promises):
    with pytest.raises(ConfigurationError):
        possible_modes(kind, **promises)


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.IDEMPOTENT_WRITE])
@pytest.mark.parametrize("mode", ["shadow", "aa"])
def test_no_write_is_ever_made_a_second_time_for_comparison(kind, mode):
    assert mode not in possible_modes(kind, dual_write=True, reconcile=mend)
