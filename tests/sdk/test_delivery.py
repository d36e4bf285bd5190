import pytest

from throwbar.delivery import (
    Course,
    Fate,
    OutcomeUnknown,
    Permissions,
    StartRefused,
    StartToken,
    WriteReceipt,
    course,
    fate_of,
)
from throwbar.errors import ThrowbarError
from throwbar.kinds import Kind
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery

R, IW, W = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.WRITE
RAISE = Course()
UNKNOWN = Course(unknown=True)
BASELINE = Course(fall_back=True)
AGAIN = Course(retry=True)
BOTH = Course(retry=True, fall_back=True)

MATRIX = {
    Fate.NEVER_STARTED: (BASELINE, BASELINE, BASELINE),
    Fate.NOT_SENT: (BOTH, BOTH, BOTH),
    Fate.REJECTED: (BOTH, BOTH, AGAIN),
    Fate.REJECTED_FINALLY: (RAISE, RAISE, RAISE),
    Fate.UNKNOWN: (BOTH, Course(retry=True, unknown=True), UNKNOWN),
    Fate.APPLIED: (BASELINE, UNKNOWN, UNKNOWN),
    Fate.CANCELLED: (RAISE, RAISE, RAISE),
}
CELLS = [(fate, kind, expected) for fate, row in MATRIX.items() for kind, expected in zip((R, IW, W), row, strict=True)]


@pytest.mark.parametrize(("fate", "kind", "expected"), CELLS)
def test_each_cell_of_the_matrix(fate, kind, expected):
    assert course(kind, fate) == expected


@pytest.mark.parametrize(("fate", "kind", "expected"), CELLS)
def test_a_token_says_the_same_after_a_first_attempt(fate, kind, expected):
    token = StartToken(kind)
    if fate is not Fate.NEVER_STARTED:
        token.start("new")

    assert token.settle(fate) == expected


def test_the_matrix_has_every_row():
    assert set(MATRIX) == set(Fate)


def test_a_write_may_be_declared_to_fall_back_when_it_is_refused():
    declared = Permissions(fall_back_on_reject=True)

    assert course(W, Fate.REJECTED, declared) == BOTH
    assert course(W, Fate.REJECTED_FINALLY, declared) == RAISE
    assert course(W, Fate.UNKNOWN, declared) == UNKNOWN


def test_shared_idempotency_keys_let_an_unknown_write_fall_back_and_no_other_kind():
    declared = Permissions(shared_keys=True)

    assert course(IW, Fate.UNKNOWN, declared) == Course(retry=True, fall_back=True, unknown=True)
    assert course(W, Fate.UNKNOWN, declared) == UNKNOWN
    assert course(IW, Fate.APPLIED, declared) == UNKNOWN


@pytest.mark.parametrize(
    ("category", "fate"),
    [
        (Category.CONNECTION, Fate.NOT_SENT),
        (Category.COMMUNICATION, Fate.UNKNOWN),
        (Category.TIMEOUT, Fate.UNKNOWN),
        (Category.RESOURCE, Fate.UNKNOWN),
        (Category.THROTTLED, Fate.REJECTED),
        (Category.CONFLICT, Fate.REJECTED),
        (Category.SESSION, Fate.REJECTED),
        (Category.VALIDATION, Fate.REJECTED_FINALLY),
        (Category.INITIALIZATION, Fate.NOT_SENT),
        (Category.APPLICATION, Fate.UNKNOWN),
        (Category.HEALTH_CHECK, Fate.NOT_SENT),
        (Category.SYSTEM, Fate.UNKNOWN),
        (Category.CANCELLED, Fate.CANCELLED),
    ],
)
def test_every_category_has_a_row(category, fate):
    assert fate_of(BY_CATEGORY[category]) is fate


def test_every_delivery_has_a_row():
    info = BY_CATEGORY[Category.TIMEOUT]

    assert [fate_of(info._replace(delivery=delivery)) for delivery in Delivery] == [
        Fate.NOT_SENT,
        Fate.REJECTED,
        Fate.UNKNOWN,
        Fate.APPLIED,
    ]


def test_a_write_starts_once():
    token = StartToken(W)
    token.start("new")

    for backend in ("new", "old"):
        with pytest.raises(StartRefused, match=f"a second write at {backend}, after one at new"):
            token.start(backend)


@pytest.mark.parametrize("fate", Fate)
def test_only_proof_that_nothing_was_done_arms_a_write_again(fate):
    token = StartToken(W)
    token.start("new")

    token.settle(fate)

    assert token.may_start("new") is (fate in {Fate.NEVER_STARTED, Fate.NOT_SENT, Fate.REJECTED})


@pytest.mark.parametrize("later", [fate for fate in Fate if fate is not Fate.CANCELLED])
@pytest.mark.parametrize("first", [Fate.UNKNOWN, Fate.APPLIED, Fate.CANCELLED])
def test_nothing_that_is_learnt_later_makes_an_uncertain_write_certain(first, later):
    token = StartToken(W)
    token.start("new")
    token.settle(first)

    assert token.settle(later) == UNKNOWN
    assert (token.may_start("new"), token.may_start("old"), token.uncertain_at) == (False, False, "new")


@pytest.mark.parametrize("later", [Fate.NEVER_STARTED, Fate.NOT_SENT, Fate.REJECTED, Fate.UNKNOWN])
def test_an_idempotent_write_that_may_have_happened_stays_where_it_may_have_happened(later):
    token = StartToken(IW)
    token.start("new")
    token.settle(Fate.UNKNOWN)
    token.start("new")

    after = token.settle(later)

    assert (after.fall_back, after.unknown) == (False, True)
    with pytest.raises(StartRefused):
        token.start("old")


def test_an_idempotent_write_with_shared_keys_may_go_to_the_baseline_after_all():
    token = StartToken(IW, Permissions(shared_keys=True))
    token.start("new")
    token.settle(Fate.UNKNOWN)
    token.start("new")

    assert token.settle(Fate.NOT_SENT) == Course(retry=True, fall_back=True, unknown=True)
    token.start("old")


def test_a_read_starts_as_often_as_it_likes():
    token = StartToken(R)
    for backend in ("new", "new", "old"):
        token.start(backend)
        token.settle(Fate.UNKNOWN)

    assert token.uncertain_at is None


def test_an_unknown_outcome_brings_its_receipt_and_no_key():
    receipt = WriteReceipt("orders", "create", "new", 1_790_000_000.0, key_hash="9f2c", idempotency_key="order-7")

    unknown = OutcomeUnknown(receipt)

    assert isinstance(unknown, ThrowbarError)
    assert unknown.receipt is receipt
    assert str(unknown) == "orders/create at new: nobody knows whether it was done"
