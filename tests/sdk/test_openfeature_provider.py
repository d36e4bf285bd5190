"""What a service that speaks OpenFeature is answered, through OpenFeature's own API."""

import asyncio
import subprocess
import sys

import pytest
from openfeature import api
from openfeature.exception import ErrorCode, ProviderFatalError, ProviderNotReadyError
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus

import throwbar
from tests.sdk.fake_control_plane import a_document, a_flag, a_share
from tests.sdk.open_feature import a_context, nothing_left_of_it
from tests.sdk.recipes import LoopbackControlPlane
from throwbar.openfeature_provider import ThrowbarProvider
from throwbar.testing import forced

TWO_OPERATIONS = {"read": {"share": 100_000}, "write": {"share": 0}}


@pytest.fixture
def flags(client, server):
    server.document = a_document(flags={"orders": a_flag(operations=a_share(100_000))})
    with nothing_left_of_it():
        api.set_provider_and_wait(ThrowbarProvider(client))
        yield api.get_client()


def test_a_migration_answers_with_the_name_of_a_backend(flags):
    details = flags.get_string_details("orders", "old", a_context("s1", operation="read"))

    assert (details.value, details.variant, details.reason) == ("new", "new", Reason.SPLIT)
    assert details.flag_metadata == {
        "flagSetId": "test",
        "version": "1",
        "kind": "migration",
        "operation": "read",
        "candidate": True,
        "reason": "share",
    }


def test_the_only_operation_of_a_flag_need_not_be_named(flags):
    assert flags.get_string_value("orders", "old", a_context()) == "new"


def test_which_of_several_operations_is_meant_has_to_be_said(flags, client, server):
    server.document = a_document(2, flags={"orders": a_flag(operations=TWO_OPERATIONS)})
    client.flush()

    details = flags.get_string_details("orders", "default", a_context())

    assert (details.value, details.reason, details.error_code) == ("default", Reason.ERROR, ErrorCode.INVALID_CONTEXT)
    assert details.error_message == (
        "flag orders has the operations read, write: name one in the attribute operation of the context"
    )
    assert flags.get_string_value("orders", "default", a_context(operation="read")) == "new"
    assert flags.get_string_value("orders", "default", a_context(operation="write")) == "old"


@pytest.mark.parametrize("named", [7, "", "x" * 101, "a\nb", ["read"]])
def test_an_operation_that_is_no_name_is_refused(flags, named):
    details = flags.get_string_details("orders", "default", a_context(operation=named))

    assert (details.value, details.error_code) == ("default", ErrorCode.INVALID_CONTEXT)
    assert details.error_message.startswith(f"the attribute operation is {named!r}, not the name of an operation")


def test_a_flag_without_operations_says_so(flags, client, server):
    server.document = a_document(2, flags={"orders": a_flag(operations={})})
    client.flush()

    details = flags.get_string_details("orders", "default", a_context())

    assert details.error_message == "flag orders has no operation yet, and the context names none"


def test_an_operation_that_is_not_listed_goes_to_the_baseline(flags):
    details = flags.get_string_details("orders", "default", a_context(operation="delete"))

    assert (details.value, details.reason) == ("old", Reason.DEFAULT)
    assert details.flag_metadata["reason"] == "operation_not_listed"


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        (a_flag(enabled=False), ("old", Reason.DISABLED, "disabled")),
        (a_flag(rolled_back=True), ("old", Reason.DISABLED, "rolled_back")),
        (a_flag(operations=a_share(0)), ("old", Reason.SPLIT, "share")),
        (
            a_flag(rules=[{"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "candidate"}]),
            ("new", Reason.TARGETING_MATCH, "rule"),
        ),
    ],
)
def test_every_reason_has_a_word_of_openfeature_and_our_own(flags, client, server, flag, told):
    server.document = a_document(2, flags={"orders": flag})
    client.flush()

    details = flags.get_string_details("orders", "default", a_context(tenant="acme"))

    assert (details.value, details.reason, details.flag_metadata["reason"]) == told


@pytest.mark.parametrize("key", [None, ""])  # the SDK of OpenFeature makes none of an empty one
def test_without_a_targeting_key_there_is_no_key(flags, client, server, key):
    server.document = a_document(2)
    client.flush()

    details = flags.get_string_details("orders", "default", a_context(key))

    assert (details.value, details.flag_metadata["reason"]) == ("old", "no_key")


def test_a_flag_that_is_not_there_is_not_found(flags):
    details = flags.get_string_details("invoices", "mine", a_context(operation="read"))

    assert (details.value, details.error_code) == ("mine", ErrorCode.FLAG_NOT_FOUND)
    assert details.error_message == "the environment test has no flag invoices"
    assert flags.get_string_details("invoices", "mine", a_context()).error_code is ErrorCode.FLAG_NOT_FOUND


@pytest.mark.parametrize("key", ["", "x" * 101, "a\nb"])
def test_what_cannot_be_the_key_of_a_flag_is_not_found(flags, key):
    assert flags.get_string_details(key, "mine", a_context(operation="read")).error_code is ErrorCode.FLAG_NOT_FOUND


@pytest.mark.parametrize(
    ("ask", "default"), [("boolean", True), ("integer", 1), ("float", 1.5), ("object", {"a": 1}), ("object", [1])]
)
def test_a_migration_has_one_type(flags, ask, default):
    details = getattr(flags, f"get_{ask}_details")("orders", default, a_context())

    assert (details.value, details.error_code) == (default, ErrorCode.TYPE_MISMATCH)
    assert "ask for a string" in details.error_message


def test_coroutines_are_answered_alike(flags):
    async def asked():
        return (
            await flags.get_string_details_async("orders", "old", a_context()),
            await flags.get_boolean_details_async("orders", False, a_context()),
        )

    of_string, of_boolean = asyncio.run(asked())

    assert of_string == flags.get_string_details("orders", "old", a_context())
    assert of_boolean.error_code is ErrorCode.TYPE_MISMATCH


def test_the_breaker_that_a_service_declared_is_the_one_that_answers(flags, client):
    orders = client.migration("orders", baseline="called by another name here")
    operation = orders.operation("read", kind=throwbar.READ, retry=None, breaker=throwbar.Breaker(min_calls=1))
    operation.baseline(lambda: "old")
    operation.candidate(lambda: 1 / 0)
    for number in range(20):
        operation(key=str(number))

    details = flags.get_string_details("orders", "default", a_context(operation="read"))

    assert (details.value, details.flag_metadata["reason"]) == ("old", "circuit_open")


def test_forced_calls_need_no_snapshot(server):
    server.down = ConnectionRefusedError()
    client = throwbar.Client("http://throwbar.test", "t", backup_file=False, transport=server)
    with client, nothing_left_of_it(), forced(client, "orders", to="candidate"):
        with pytest.raises(ProviderNotReadyError):
            api.set_provider_and_wait(ThrowbarProvider(client, ready_within=0.01))

        assert api.get_client().get_string_value("orders", "old", a_context(operation="read")) == "candidate"


def test_before_the_first_snapshot_the_code_s_own_default_is_the_baseline(server):
    server.down = ConnectionRefusedError("nobody there")
    client = throwbar.Client("http://throwbar.test", "t", backup_file=False, transport=server)
    with client, nothing_left_of_it():
        with pytest.raises(ProviderNotReadyError):
            api.set_provider_and_wait(ThrowbarProvider(client, ready_within=0.01))
        assert client._poller.wait_until(lambda: client._exchange.polling.failures > 0, 60)

        details = api.get_client().get_string_details("orders", "old", a_context(operation="read"))

        assert (details.value, details.error_code) == ("old", ErrorCode.PROVIDER_NOT_READY)
        assert "nobody there" in details.error_message


def test_a_client_that_can_reach_nobody_is_fatal():
    with nothing_left_of_it(), pytest.raises(ProviderFatalError) as raised:
        api.set_provider_and_wait(ThrowbarProvider())

    assert raised.value.error_message == "THROWBAR_URL is not set; THROWBAR_TOKEN is not set"
    assert api.get_client().get_provider_status() is ProviderStatus.READY  # the one that does nothing, again


def test_without_a_client_it_makes_its_own_and_closes_it(monkeypatch):
    with LoopbackControlPlane() as plane, nothing_left_of_it():
        plane.send_calls_to("new")
        for name in ("URL", "TOKEN", "BACKUP_FILE"):
            monkeypatch.setenv(f"THROWBAR_{name}", plane.environment[f"THROWBAR_{name}"])
        provider = ThrowbarProvider()
        api.set_provider_and_wait(provider)
        own = provider._serving.client

        assert api.get_client().get_string_value("orders", "old", a_context()) == "new"
        provider.shutdown()
        provider.shutdown()

        assert not own.engine.counting
        assert api.get_client().get_string_details("orders", "old").error_code is ErrorCode.PROVIDER_NOT_READY


def test_a_given_client_outlives_the_provider_which_may_be_initialised_again(flags, client):
    provider = ThrowbarProvider(client)
    for _ in range(2):
        api.set_provider_and_wait(provider, "shop")
        assert api.get_client("shop").get_string_value("orders", "old", a_context()) == "new"
        provider.shutdown()
        api.clear_providers()

    assert client.engine.counting
    assert client.engine.followers == ()
    assert client.migration("orders").decide("read", key="s1").backend == "new"


FORKED = """
import json, os, sys, time
import throwbar
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from throwbar.openfeature_provider import ThrowbarProvider

client = throwbar.Client(poll_interval=0.05, report_interval=0.05)
api.set_provider_and_wait(ThrowbarProvider(client))
asked = lambda: api.get_client().get_string_value("orders", "default", EvaluationContext("s1"))
print(json.dumps(asked()), flush=True)
if os.fork() == 0:
    sys.stdin.readline()
    end = time.monotonic() + 60
    while asked() != "new" and time.monotonic() < end:
        time.sleep(0.01)
    os.write(1, json.dumps(asked()).encode())
    os._exit(0)
os.wait()
"""


def test_a_forked_child_is_answered_by_what_its_own_client_polls():
    with LoopbackControlPlane() as plane:
        program = subprocess.Popen(
            [sys.executable, "-c", FORKED], env=plane.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with program:
            assert program.stdout.readline() == b'"old"\n'
            plane.send_calls_to("new")
            rest, _ = program.communicate(b"\n", timeout=120)

    assert rest == b'"new"'


def test_importing_the_sdk_does_not_load_openfeature():
    program = "import sys, throwbar; throwbar.Client(); print(*(name for name in sys.modules if 'openfeature' in name))"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert answer.strip() == ""
