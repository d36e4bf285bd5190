"""One semantics: whatever flag, context and breaker, OpenFeature is answered what `decide` says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature.evaluation_context import EvaluationContext

import throwbar
from tests.sdk.fake_control_plane import FakeControlPlane, a_document, a_flag
from throwbar.openfeature_provider import ThrowbarProvider

TEXTS = st.text(max_size=6)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["tenant", "region", "n"]), TEXTS | st.integers() | st.booleans() | st.floats() | st.lists(TEXTS)
)
RULES = st.fixed_dictionaries(
    {
        "attribute": st.sampled_from(["key", "tenant", "region", "n", "operation"]),
        "operator": st.sampled_from(["in", "not_in", "starts_with", "ends_with", "contains", "of a newer server"]),
        "values": st.lists(TEXTS, min_size=1, max_size=3),
        "serve": st.sampled_from(["baseline", "candidate"]),
    }
)
OPERATIONS = st.dictionaries(
    st.sampled_from(["read", "write", "lösche"]),
    st.fixed_dictionaries(
        {"share": st.sampled_from([0, 1, 50_000, 99_999, 100_000])},
        optional={
            "rolled_back": st.booleans(),
            "breaker": st.sampled_from([{"mode": "forced_open"}, {"mode": "forced_closed"}, {}]),
        },
    ),
)
FLAGS = st.builds(
    a_flag,
    enabled=st.booleans(),
    rolled_back=st.booleans(),
    rules=st.lists(RULES, max_size=2),
    operations=OPERATIONS,
)


@pytest.fixture(scope="module")
def world():
    server = FakeControlPlane()
    settings = {"poll_interval": 3600, "report_interval": 3600, "backup_file": False, "transport": server}
    with throwbar.Client("http://throwbar.test", "t", **settings) as client:
        provider = ThrowbarProvider(client)
        provider.initialize(EvaluationContext())
        yield server, client, provider
        provider.shutdown()


@given(
    flag=FLAGS,
    operation=st.sampled_from(["read", "write", "lösche", "not listed"]),
    key=st.none() | TEXTS,
    attributes=ATTRIBUTES,
)
def test_the_provider_says_what_decide_says(world, flag, operation, key, attributes):
    server, client, provider = world
    server.document = a_document(server.document["version"] + 1, flags={"orders": flag})
    client._exchange.poll()
    attributes = attributes | {"operation": operation}

    decision = client.migration("orders").decide(operation, key=key, attributes=attributes)
    details = provider.resolve_string_details("orders", "default", EvaluationContext(key, attributes))

    assert (details.value, details.variant) == (decision.backend, decision.backend)
    assert details.flag_metadata == {
        "flagSetId": "test",
        "version": str(server.document["version"]),
        "kind": "migration",
        "operation": operation,
        "candidate": decision.candidate,
        "reason": str(decision.reason),
    }
    assert details.error_code is None
